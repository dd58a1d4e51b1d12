import type {RegistryClient} from '../../client/client.js'
import type {SessionJournal} from './session-journal.js'
import type {UploadSession} from './upload-session.js'
import type {UploadVerdict} from './upload-verdict.js'
import type {BlobSource, Descriptor} from '../../model/index.js'

/** A body whose connection broke before the answer. In bytes. */
export interface TornBody {
  readonly length: number
  /** How much of it had left. What the system's buffers still held is among it. */
  readonly taken: number
}

/** One blob on its way into one repository. */
export interface Upload {
  readonly client: RegistryClient
  readonly repository: string
  readonly blob: BlobSource
  readonly signal: AbortSignal | undefined
  readonly onProgress: (position: number) => void
  readonly onFinal: (content: Descriptor) => Promise<void>
  readonly journal: SessionJournal
  /** Bytes handed to the transport, those sent again included. */
  sent: number
}

/**
 * Where an upload stands. `offset` and `received` are what the registry has acknowledged.
 *
 *     open ─► send ─► commit ─► done
 *      ▲       │ ▲       │
 *      │       ▼ │       │
 *      └──── resume ◄────┘      (after a setback)
 */
export type UploadState =
  | {readonly at: 'open'; readonly abandoned?: UploadSession | undefined}
  | {readonly at: 'send'; readonly session: UploadSession; readonly offset: number}
  | {readonly at: 'commit'; readonly session: UploadSession; readonly content: Descriptor}
  /**
   * `content` is set where the blob may be there already. Where it is not, the session is asked how far it got, or all
   * starts again, or the registry has said what is not true.
   */
  | {
      readonly at: 'resume'
      readonly session: UploadSession
      readonly content?: Descriptor | undefined
      readonly otherwise?: 'restart' | 'complain'
    }
  | {readonly at: 'done'; readonly content: Descriptor}

/** A request that failed in a way that may be mended: where to go on, and what to throw if that is not to be. */
export interface Setback {
  readonly at: 'setback'
  readonly next: UploadState
  readonly error: unknown
  readonly why: UploadVerdict['why']
  readonly status?: number | undefined
  readonly retryAfter?: string | undefined
  /** The time at the host that answered. */
  readonly now?: Date
  /** Set where the connection broke while it carried a body. */
  readonly torn?: TornBody
}

export type UploadStep = UploadState | Setback
