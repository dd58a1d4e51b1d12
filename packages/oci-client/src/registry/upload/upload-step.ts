import type {RegistryClient} from '../../client/client.js'
import type {SessionJournal} from './session-journal.js'
import type {UploadSession} from './upload-session.js'
import type {UploadVerdict} from './upload-verdict.js'
import type {BlobSource, Descriptor} from '../../model/index.js'

/** A body whose connection broke before the answer. In bytes. */
export interface TornBody {
  readonly length: number
  /** Bytes of it handed to the transport. Some may still have been in the system's buffers. */
  readonly taken: number
}

/** A blob on its way into one repository. */
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
 * The state of an upload. `offset` is the bytes that the registry has acknowledged.
 *
 *     open ─► send ─► commit ─► done
 *      ▲       │ ▲       │
 *      │       ▼ │       │
 *      └──── resume ◄────┘      (after a setback)
 */
export type UploadState =
  | {readonly step: 'open'; readonly abandoned?: UploadSession}
  | {readonly step: 'send'; readonly session: UploadSession; readonly offset: number}
  | {readonly step: 'commit'; readonly session: UploadSession; readonly content: Descriptor}
  /** `content` is set if the blob may be there already. `otherwise` says what to do if it is not. */
  | {
      readonly step: 'resume'
      readonly session: UploadSession
      readonly content?: Descriptor
      readonly otherwise?: 'restart' | 'complain'
    }
  | {readonly step: 'done'; readonly content: Descriptor}

/** A failure that may be mended: the state to continue from, and the error to throw if no attempt is left. */
export interface Setback {
  readonly step: 'setback'
  readonly next: UploadState
  readonly error: unknown
  readonly why: UploadVerdict['why']
  readonly status?: number
  readonly retryAfter?: string
  /** The time at the host that answered. */
  readonly now?: Date
  /** Set if the connection broke while it carried a body. */
  readonly torn?: TornBody
}

export type UploadStep = UploadState | Setback
