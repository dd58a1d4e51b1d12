import type {CredentialProvider} from '../auth/credential.js'
import type {Exchange, TransportOptions} from '../http/options.js'
import type {JsonObject} from '../model/index.js'

/** Something that failed and is tried again. Texts are fit to be shown. */
export interface Retry {
  /** What it was: content, or a request. */
  readonly what: string
  /** Milliseconds until then. */
  readonly wait: number
  readonly reason: string
}

/** One blob on its way into one repository, known again by a later run. */
export interface JournalledUpload {
  readonly repository: string
  /** Names the bytes that are sent: a digest, or what they are made of and how. */
  readonly key: string
}

/**
 * Keeps the upload sessions of large blobs, so that another run goes on where one was torn off. A cache: whatever it
 * forgets costs time alone, and no call may reject. Locations may carry signatures: they are secrets.
 */
export interface UploadJournal {
  /** The absolute URL of a session that nobody else is working on. */
  find(upload: JournalledUpload): Promise<string | undefined>
  /** @returns whether a later run will find it */
  note(upload: JournalledUpload, location: string): Promise<boolean>
  forget(upload: JournalledUpload): Promise<void>
}

export interface RegistryOptions extends TransportOptions {
  /** Absent: anonymous, though tokens that need no credential are still fetched. */
  readonly credentials?: CredentialProvider
  /** Bytes of one PATCH; 0: one streamed PATCH; auto: chunks where the registry is seen to take several. */
  readonly chunkSize?: 'auto' | number
  /** Bytes per second over all uploads, or over all downloads of a source. */
  readonly limitRate?: number
  /** How often one piece of work is tried again; default 5. */
  readonly retries?: number
  /**
   * The longest wait before a retry, `Retry-After` included, and how long a registry is waited for that had answered and is
   * gone; default 300,000 ms.
   */
  readonly retryMaxWait?: number
  /** `Registry.knowledge` of an earlier run. What makes no sense in it is ignored. */
  readonly knowledge?: JsonObject | undefined
  /** Absent: a session lives no longer than the client. */
  readonly journal?: UploadJournal | undefined
  readonly onExchange?: (exchange: Exchange) => void
  /** Registry `Warning` headers and what the client falls back from, each text once. */
  readonly onWarning?: (text: string) => void
  /** Called before each wait. */
  readonly onRetry?: (retry: Retry) => void
}
