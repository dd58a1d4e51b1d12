import type {HttpRequest, Middleware} from './send.js'
import {sleep as sleepFor} from './sleep.js'
import {isTransient} from './transport-error.js'

export interface RetryPolicy {
  /** How often a request is sent again. */
  readonly retries: number
  /** The longest wait in milliseconds; a registry that asks for more is not waited for. */
  readonly maxWait: number
}

export interface RetryFailure {
  /** Attempts made so far, from 1. */
  readonly attempt: number
  readonly status?: number | undefined
  readonly error?: unknown
  /** The `Retry-After` header: seconds or an HTTP date (RFC 9110, 10.2.3). */
  readonly retryAfter?: string | undefined
  readonly now: Date
  /** From 0 to below 1: spreads clients that failed together. */
  readonly random: number
}

export interface RetryNotice {
  readonly request: HttpRequest
  readonly attempt: number
  /** Milliseconds. */
  readonly wait: number
  readonly status: number | undefined
  readonly error: unknown
}

const FIRST_WAIT = 1000
/** 425: Azure and some proxies; 408 and 50x: proxies whose registry is starting or gone for a moment. */
const RETRIED: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * Whether to send again, and after how many milliseconds: 1 s, doubled each time, a quarter more or less. What
 * `Retry-After` asks for is waited for in full. With five retries a registry may be gone for 20 s.
 */
export const retryDecision = (
  failure: RetryFailure,
  policy: RetryPolicy,
): {readonly wait: number} | undefined => {
  if (failure.attempt > policy.retries || !isRetried(failure)) return undefined
  const asked = retryAfter(failure)
  if (asked !== undefined && asked > policy.maxWait) return undefined
  const spread = 0.75 + failure.random / 2
  const backoff = FIRST_WAIT * 2 ** Math.min(failure.attempt - 1, 30) * spread
  const wait =
    asked === undefined || asked === 0 ? backoff : asked + Math.min(asked / 10, 1000) * failure.random
  return {wait: Math.min(Math.round(wait), policy.maxWait)}
}

/**
 * Sends a request again as `retryDecision` says. Requests with a stream pass through untouched: whoever makes the
 * stream retries them, so that retries are never nested. The last response is returned, the last error thrown.
 */
export const retrying =
  (options: {
    readonly policy: RetryPolicy
    readonly sleep?: (milliseconds: number, signal?: AbortSignal) => Promise<void>
    readonly onRetry?: (notice: RetryNotice) => void
  }): Middleware =>
  (next) =>
  async (request) => {
    if (request.body !== undefined && 'stream' in request.body) return next(request)
    const {policy, sleep = sleepFor, onRetry} = options
    for (let attempt = 1; ; attempt++) {
      const outcome = await next(request).then(
        (response) => ({response, error: undefined}),
        (error: unknown) => ({response: undefined, error}),
      )
      const {response, error} = outcome
      const status = response?.status
      const decision = request.signal?.aborted
        ? undefined
        : retryDecision(
            {
              attempt,
              status,
              error,
              retryAfter: response?.header('retry-after'),
              now: new Date(),
              random: Math.random(),
            },
            policy,
          )
      if (decision === undefined) {
        if (response === undefined) throw error
        return response
      }
      await response?.discard()
      onRetry?.({request, attempt, wait: decision.wait, status, error})
      await sleep(decision.wait, request.signal)
    }
  }

const isRetried = ({status, error}: RetryFailure): boolean =>
  status === undefined ? isTransient(error) : RETRIED.has(status)

const retryAfter = ({retryAfter: text, now}: RetryFailure): number | undefined => {
  const value = text?.trim()
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  return HTTP_DATE.test(value) ? Math.max(0, Date.parse(value) - now.getTime()) : undefined
}
