import type {CredentialProvider} from './auth/credential.js'
import type {JsonObject} from './model/index.js'

export interface TlsOptions {
  /** PEM texts, each with one or many certificates, added to the system's and Node's roots. */
  readonly ca?: readonly string[]
  /**
   * A PEM text that is trusted, too. It is looked at with the first connection that needs TLS, since checking a system's
   * whole bundle takes tens of milliseconds; what is damaged in it is passed over, as Node does with NODE_EXTRA_CA_CERTS.
   */
  readonly extraCa?: string
  /** PEM texts of the client's certificate and key. */
  readonly clientCert?: string
  readonly clientKey?: string
  readonly insecureSkipVerify?: boolean
}

/** Go's meaning of the variables of the same names: no fall-back from httpsProxy to httpProxy. */
export interface ProxyOptions {
  readonly httpProxy?: string | undefined
  readonly httpsProxy?: string | undefined
  readonly noProxy?: string | undefined
}

/** One line of `--verbose`: already redacted. Times in milliseconds, sizes in bytes. */
export interface Exchange {
  readonly method: string
  readonly url: string
  readonly status: number | undefined
  readonly milliseconds: number
  readonly error?: string
}

/** Something that failed and is tried again. Texts are fit to be shown. */
export interface Retry {
  /** What it was: content, or a request. */
  readonly what: string
  /** Milliseconds until then. */
  readonly wait: number
  readonly reason: string
}

/** All in milliseconds. */
export interface TransportTimeouts {
  readonly connect: number
  /** From the end of a request to its response: small requests. */
  readonly answer: number
  /** The same for PUT and PATCH: a registry may hash and copy a large blob before it answers. */
  readonly commit: number
  /** How long a body, in either direction, may not move. */
  readonly stall: number
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

export interface RegistryOptions {
  /** `host[:port]`. */
  readonly registry: string
  readonly side: 'source' | 'target'
  readonly plainHttp?: boolean
  readonly tls?: TlsOptions
  readonly proxy?: ProxyOptions
  /** Absent: anonymous, though tokens that need no credential are still fetched. */
  readonly credentials?: CredentialProvider
  /** Connections at once; default 8, plus one that is kept for small requests. */
  readonly concurrency?: number
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
  /** Default: patient enough for slow links and for registries that copy large blobs before they answer. */
  readonly timeouts?: Partial<TransportTimeouts>
  readonly userAgent?: string
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
