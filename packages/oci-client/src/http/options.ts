import type {Side} from '../model/index.js'

/** Certificates as PEM texts, never as paths. Without options the system's and Node's roots are trusted. */
export interface TlsOptions {
  /** PEM texts, each with one or many certificates, added to the system's and Node's roots. */
  readonly ca?: readonly string[]
  /**
   * A PEM text that is also trusted. It is checked with the first connection that needs TLS, because a system's whole
   * bundle takes tens of milliseconds.
   * Damaged certificates are skipped, as Node does with NODE_EXTRA_CA_CERTS.
   */
  readonly extraCa?: string
  /** PEM texts that are trusted for the registry's own origin alone. */
  readonly hostCa?: readonly string[]
  /** PEM texts of the client's certificate and key. */
  readonly clientCert?: string
  readonly clientKey?: string
  readonly insecureSkipVerify?: boolean
}

/** As in Go for the variables of these names: httpsProxy does not fall back to httpProxy. */
export interface ProxyOptions {
  readonly httpProxy?: string
  readonly httpsProxy?: string
  readonly noProxy?: string
}

/** A line of `--verbose`: already redacted. Times in milliseconds, sizes in bytes. */
export interface Exchange {
  readonly method: string
  readonly url: string
  readonly status: number | undefined
  readonly milliseconds: number
  readonly error?: string
}

/** All in milliseconds. */
export interface TransportTimeouts {
  readonly connect: number
  /** From the end of a request to its response: small requests. */
  readonly answer: number
  /** The same for PUT and PATCH: a registry may hash and copy a large blob before it answers. */
  readonly commit: number
  /** The time for which a body, in either direction, may make no progress. */
  readonly stall: number
}

/** Settings by which the hosts of one registry are reached. */
export interface TransportOptions {
  /** `host[:port]`. */
  readonly registry: string
  readonly side: Side
  readonly plainHttp?: boolean
  readonly tls?: TlsOptions
  readonly proxy?: ProxyOptions
  /** Connections at once; default 8, plus one for small requests. */
  readonly concurrency?: number
  /** By default patient enough for slow links and for registries that copy large blobs before they answer. */
  readonly timeouts?: Partial<TransportTimeouts>
  readonly userAgent?: string
}
