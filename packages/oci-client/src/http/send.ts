import type {Bytes} from '../model/index.js'

/** Where a request goes: an origin (`https://host:port`) and a path with its query, kept byte for byte. */
export interface HttpUrl {
  readonly origin: string
  readonly path: string
}

/** A body that can be sent again, or one that is made anew for each attempt by whoever sends. */
export type HttpBody =
  {readonly bytes: Uint8Array} | {readonly stream: Bytes; readonly length: number | undefined}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: HttpUrl
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: HttpBody
  readonly signal?: AbortSignal | undefined
  /** The body of a success is wanted whole, of so many bytes at the most: a break in the middle of it is tried again, too. */
  readonly collect?: number
  /** Others do without the answer: it is worth few tries, and its failures say nothing of the host. */
  readonly optional?: boolean | undefined
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
  /** False where no credential went along, which makes a 401 a question and not a refusal. Set by who authorizes. */
  readonly authorized?: boolean
  /** What went along and is never shown, even where the answer repeats it. Set by who authorizes. */
  readonly secrets?: readonly string[]
  /** Body as it arrives. Every response must be read or discarded, else its connection stays taken. */
  readonly body: Bytes
  /** The body as a whole. @throws {MirrorError} LIMIT_EXCEEDED */
  read(limit: number): Promise<Uint8Array>
  /** Throws the body away. */
  discard(): Promise<void>
}

/** One exchange. Rejects only when no response came: the status is the caller's to judge. */
export type Send = (request: HttpRequest) => Promise<HttpResponse>

/** Retry, authorize, redirect, log: each wraps a `Send` in a `Send`. */
export type Middleware = (next: Send) => Send
