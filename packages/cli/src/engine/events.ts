import type {WarningAbout} from '@airgap-mirror/oci-client/model'
import type {ImageStatus, ReportError} from '../report/report.js'

/** A pass over a source that can only be read from its start. Bytes absolute; `total` if it is known. */
interface ReadingEvent {
  readonly type: 'reading'
  readonly bytes: number
  readonly total?: number
}

/** The most work that there is. Absolute: sent again if the work grows. */
export interface PlanEvent {
  readonly type: 'plan'
  readonly images: number
  readonly blobs: number
  /** The sizes of all blobs that may have to be sent, without those to mount; plain layers count plain. */
  readonly bytes: number
  /** Blobs among `blobs` that go into another repository first, to be mounted from. */
  readonly toMount?: Amount
  /** Content of images that are there already. */
  readonly present?: Amount
  /** True if the blobs are read and not sent. */
  readonly reads?: boolean
  /** Images among `images` that ended before and have no event. */
  readonly ended?: number
}

interface Amount {
  readonly blobs: number
  readonly bytes: number
}

/** `failed` means given up. A blob that will be tried again keeps its state and the bytes that still count. */
export type BlobState = 'started' | 'progress' | 'uploaded' | 'mounted' | 'present' | 'failed'

/** A blob on its way into one repository. */
export interface BlobEvent {
  readonly type: 'blob'
  /** The same for all events of one transfer, different for any two transfers. */
  readonly key: string
  /** For people: repository and short digest. */
  readonly name: string
  readonly state: BlobState
  /** Bytes sent so far, absolute: a retry may lower it. */
  readonly sent: number
  readonly size: number
  /**
   * Bytes that the plan counted for it; absent: its size. 0 if the same content goes into another repository first, to be
   * mounted from.
   */
  readonly planned?: number
}

/** An image has come to its end. */
export interface ImageEvent {
  readonly type: 'image'
  readonly source: string
  readonly target: string
  readonly status: ImageStatus
  readonly digest?: string
  readonly error?: ReportError
}

interface RetryEvent {
  readonly type: 'retry'
  readonly what: string
  /** Milliseconds until it is tried again. */
  readonly wait: number
  readonly reason: string
}

interface MessageEvent {
  readonly type: 'note' | 'warning'
  readonly text: string
  /** Set if other images may have the same warning. */
  readonly about?: WarningAbout
}

export type MirrorEvent = ReadingEvent | PlanEvent | BlobEvent | ImageEvent | RetryEvent | MessageEvent

/** Called synchronously for every event; a display has to throttle itself. Must not throw. */
export type OnEvent = (event: MirrorEvent) => void
