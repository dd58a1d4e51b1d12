import type {CredentialProvider} from '../auth/credential.js'
import type {Exchange, TransportOptions} from '../http/options.js'
import type {JsonObject, OnWarning} from '../model/index.js'

/** Failed work that is tried again. Texts are safe to show. */
export interface Retry {
  /** The content or the request that failed. */
  readonly what: string
  /** Milliseconds until the next attempt. */
  readonly wait: number
  readonly reason: string
}

/** A blob on its way into one repository, which a later run recognises. */
export interface JournalledUpload {
  readonly repository: string
  /** Identifies the bytes that are sent: a digest, or the source and the method of their making. */
  readonly key: string
}

/**
 * Keeps the upload sessions of large blobs, so that another run can resume an interrupted upload. A cache: a forgotten
 * session costs time only, and no call may reject.
 * Locations may carry signatures, so they are secrets.
 */
export interface UploadJournal {
  /** Returns the absolute URL of a session that no other run is working on. */
  find(upload: JournalledUpload): Promise<string | undefined>
  /** @returns true if a later run will find it */
  note(upload: JournalledUpload, location: string): Promise<boolean>
  forget(upload: JournalledUpload): Promise<void>
}

/** Options of a connection to one registry. Only `registry` and `side` are required. */
export interface RegistryOptions extends TransportOptions {
  /** Without it, access is anonymous; tokens that need no credential are still fetched. */
  readonly credentials?: CredentialProvider
  /** Bytes of one PATCH. 0: one streamed PATCH. auto: chunks if the registry is seen to take several. */
  readonly chunkSize?: 'auto' | number
  /** Bytes per second over all uploads, or over all downloads of a source. */
  readonly limitRate?: number
  /** Retries of one piece of work; default 5. */
  readonly retries?: number
  /**
   * The longest wait before a retry, `Retry-After` included, and the longest wait for a registry that had answered and
   * is gone. Default 300,000 ms.
   */
  readonly retryMaxWait?: number
  /** `Registry.knowledge` of an earlier run. Invalid fields are ignored. */
  readonly knowledge?: JsonObject
  /** Without it, a session lives no longer than the client. */
  readonly journal?: UploadJournal
  readonly onExchange?: (exchange: Exchange) => void
  /** Called with registry `Warning` headers and the client's fall-backs, each text once. */
  readonly onWarning?: OnWarning
  /** Called before each wait. */
  readonly onRetry?: (retry: Retry) => void
}
