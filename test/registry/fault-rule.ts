import type {RequestKind} from './route.js'

/**
 * The failure. `after` counts the bytes of the request's body if there is one, else of the answer's body.
 * `early` answers without having read the request's body.
 */
export type Fault =
  /** The connection is reset before anything is read or done. */
  | {readonly type: 'reset-before'}
  /** Reset after so many bytes of the body; what arrived before stays, as in a torn upload. */
  | {readonly type: 'reset-in-body'; readonly after: number}
  /** The request is carried out, the answer is lost. */
  | {readonly type: 'reset-after'}
  | {
      readonly type: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
      readonly early?: boolean
    }
  /** Silence for `ms`, or until the connection is closed. Default before the body is read. */
  | {
      readonly type: 'stall'
      readonly ms?: number
      readonly at?: 'start' | 'body' | 'response'
      readonly after?: number
    }
  /** Body in pieces of `bytes` with `ms` between them: of the request as it is read, and of the answer. */
  | {readonly type: 'trickle'; readonly bytes: number; readonly ms: number}
  /** The `Range` header of the answer says this; default `0-0`. */
  | {readonly type: 'wrong-range'; readonly range?: string}
  | {readonly type: 'no-range'}
  | {
      readonly type: 'location'
      readonly form: 'relative' | 'absolute' | 'cross-origin' | 'missing' | 'http'
    }
  | {readonly type: 'location'; readonly form: 'exactly'; readonly value: string}
  /** 201 after `after` bytes of the body, nothing stored. */
  | {readonly type: 'early-201'; readonly after?: number}
  /** The upload session is forgotten before the request is worked on. */
  | {readonly type: 'session-gone'}
  /** 401 with the usual challenge; the token that came with it is void from now on. */
  | {readonly type: 'unauthorized'; readonly early?: boolean}
  /** Headers of the answer, replaced; undefined takes one away. */
  | {readonly type: 'headers'; readonly headers: Readonly<Record<string, string | undefined>>}
  /** A bit of the answer's body is flipped; its length and headers stay. */
  | {readonly type: 'corrupt'}
  /** The answer's body never ends. */
  | {readonly type: 'endless'}

export interface FaultMatch {
  readonly method?: string
  /** Tested against path and query. */
  readonly path?: RegExp
  /** `head` is either HEAD. */
  readonly kind?: RequestKind | 'head' | readonly (RequestKind | 'head')[]
}

/**
 * Applies to the `nth` (default 1) matching request and the `times - 1` (default 1) after it; `times: Infinity` for good.
 * Only requests that were let in count: a 401 challenge on the way uses nothing up. Of several rules for one request the
 * first applies, and all of them count it.
 */
export interface FaultRule {
  readonly match?: FaultMatch
  readonly nth?: number
  readonly times?: number
  readonly fault: Fault
}
