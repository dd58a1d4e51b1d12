import type {Bytes} from '../model/index.js'

/** Target of a request: an origin (`https://host:port`) and a path with its query, kept byte for byte. */
export interface HttpUrl {
  readonly origin: string
  readonly path: string
}

/** A body that can be sent again, or a stream that the sender makes again for each attempt. */
export type HttpBody =
  {readonly bytes: Uint8Array} | {readonly stream: Bytes; readonly length: number | undefined}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: HttpUrl
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: HttpBody
  readonly signal?: AbortSignal
  /** The most bytes of a success's body, if it is wanted whole. A break in the middle of it is then retried, too. */
  readonly collect?: number
  /** True if the answer is not essential: few retries, and its failures do not count against the host. */
  readonly optional?: boolean
  /** A status that is more likely the host's verdict on this request than a failure: it is retried once. */
  readonly doubtful?: number
  /** Token scopes the request needs, such as `repository:a/b:pull,push`; empty for `/v2/`. */
  readonly scopes: readonly string[]
  /** The request has left the registry's origin by a redirect: it carries no credential, now or later. */
  readonly anonymous?: boolean
}

export interface HttpResponse {
  readonly status: number
  /** First value of a header, by lower-case name. */
  header(name: string): string | undefined
  /** All values, for headers that may be repeated (`www-authenticate`, `warning`, `link`). */
  headers(name: string): readonly string[]
  /** The URL that answered, after redirects. */
  readonly url: HttpUrl
  /** The origin that was asked first, if a redirect led to another one. */
  readonly redirectedFrom?: string
  /**
   * False if the request had no credential: a 401 is then a question and not a refusal. Set by the authorizing layer.
   */
  readonly authorized?: boolean
  /** Secrets in the request, which are never shown, even if the answer repeats them. Set by the authorizing layer. */
  readonly secrets?: readonly string[]
  /** Body as it arrives. Every response must be read or discarded, else its connection stays taken. */
  readonly body: Bytes
  /** The body as a whole. @throws {MirrorError} LIMIT_EXCEEDED */
  read(limit: number): Promise<Uint8Array>
  /** Throws the body away. */
  discard(): Promise<void>
}

/** An exchange. Rejects only if no response came; the caller judges the status. */
export type Send = (request: HttpRequest) => Promise<HttpResponse>

/** Retry, authorize, redirect, log: each wraps a `Send` in a `Send`. */
export type Middleware = (next: Send) => Send
