import type {FaultRule} from './fault-rule.js'
import type {RequestRecord} from './request-log.js'

export interface RegistryUser {
  readonly name: string
  readonly password: string
  /** add: pull and push without delete. Default push, which includes pull and delete. */
  readonly access?: 'push' | 'pull' | 'add'
}

export interface BasicAuth {
  readonly type: 'basic'
  readonly users: readonly RegistryUser[]
}

/** Tokens as distribution's documentation describes them, from a token server at `/token` of the registry itself. */
export interface TokenAuth {
  readonly type: 'token'
  readonly users: readonly RegistryUser[]
  /** Rights of a token that was requested without credentials; default none. */
  readonly anonymous?: 'none' | 'pull' | 'push'
  /** The lifetime of a token, in milliseconds; default 300,000. */
  readonly lifetime?: number
  /** Requests one token is good for: an expiry in the middle of a push that does not depend on the clock. */
  readonly usesPerToken?: number
  /** `expires_in` of the answer, in seconds; default the lifetime; false leaves it out. */
  readonly announcedLifetime?: number | false
  /** The field the token comes in; default both. */
  readonly field?: 'token' | 'access_token' | 'both'
  /** POST /token, the OAuth2 flow; a number is the status it is refused with. Default on. */
  readonly oauth2?: 'on' | 404 | 405
  /** Refresh (identity) tokens that are valid from the start, by user name. */
  readonly identityTokens?: Readonly<Record<string, string>>
  /** Puts the realm at the registry's second origin. */
  readonly realm?: 'same-origin' | 'other-origin'
  /** Answer to a request with a token of fewer rights than were requested; default 403 DENIED. */
  readonly refusal?: 401 | 403
}

export interface RegistryOptions {
  /** Absent: plain HTTP. PEM texts; with `clientCa` a client certificate issued by it is required. */
  readonly tls?: {readonly cert: string; readonly key: string; readonly clientCa?: string}
  readonly port?: number
  readonly auth?: BasicAuth | TokenAuth
  /** Repositories, or prefixes of them, that exist; anything else is 404 NAME_UNKNOWN. Absent: made when pushed to. */
  readonly projects?: readonly string[]
  /**
   * Handling of an interrupted or repeated PATCH. resumable: distribution 3, the status says how much is there. forgetful:
   * distribution 2.8, a `_state` that is not the last one cancels the session, and so asking for the status after a torn
   * PATCH does. deleting: zot, a client that vanishes takes its session with it. Default resumable.
   */
  readonly uploads?: 'resumable' | 'forgetful' | 'deleting'
  /** pull-right: a mount needs a token that may pull from the other repository too. Default pull-right. */
  readonly mount?: 'on' | 'off' | 'pull-right'
  readonly locations?: 'relative' | 'absolute' | 'cross-origin'
  /**
   * `_state` must come back byte for byte, and has characters in it that a client changes which takes a query apart and
   * puts it together again. Default true. Clients written in Go do so: skopeo and docker need false.
   */
  readonly exactQuery?: boolean
  /**
   * The answer to a PATCH with Content-Range, or to a second PATCH. A number: refused with this status. ecr: answered
   * 201, thrown away, and `Range` does not move. Default on.
   */
  readonly chunks?: 'on' | 'ecr' | 404 | 405 | 416
  /** Sent as OCI-Chunk-Min-Length, bytes; a smaller chunk that is not the last is refused. */
  readonly chunkMinLength?: number
  /** Bytes of one request body; more is answered 413 with an HTML page, as nginx does. */
  readonly bodyLimit?: number
  /** reset: a larger body is not answered, its connection is reset at the limit. Default answer. */
  readonly overLimit?: 'answer' | 'reset'
  /** More requests than this at once are answered 429, with this `Retry-After` if it is set. */
  readonly capacity?: {readonly requests: number; readonly retryAfter?: string}
  /** Milliseconds before every request is worked on. */
  readonly latency?: number
  /** The referrers API and OCI-Subject; default true. */
  readonly referrers?: boolean
  /** Default refuse: a manifest whose content is not all there. allow-index: an index may lack children. */
  readonly missingContent?: 'refuse' | 'allow-index' | 'allow'
  /** oci: Docker schema 2 is refused, as zot does. */
  readonly manifestTypes?: 'all' | 'oci'
  /** A tag that exists cannot be moved: 412. */
  readonly immutableTags?: boolean
  /**
   * DELETE of a manifest. by-digest: distribution 2.8, which answers 400 DIGEST_INVALID to a tag. off: distribution without
   * `storage.delete.enabled`, 405 UNSUPPORTED. Default on: a tag goes alone, as in distribution 3 and zot.
   */
  readonly deletion?: 'on' | 'by-digest' | 'off'
  /** Answer GET of a blob with 307 to a signed URL at the second origin. */
  readonly redirectBlobs?: boolean
  /** The most tags a page has. */
  readonly maxPage?: number
  /** keepContentUpTo: of blobs over so many bytes only digest and size are kept; they cannot be pulled. */
  readonly storage?: {readonly keepContentUpTo: number} | {readonly directory: string}
  /** Record a violation for each manifest that arrives before its content. */
  readonly strict?: boolean
  readonly faults?: readonly FaultRule[]
  /** Called as soon as a request's headers are there. */
  readonly onRequest?: (record: RequestRecord) => void
}
