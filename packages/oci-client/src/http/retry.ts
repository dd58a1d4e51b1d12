import type {HostCondition} from './host-gates.js'
import {LONGEST_OUTAGE_PAUSE} from './pressure.js'
import {parseRetryAfter, timeOf} from './retry-after.js'
import type {HttpRequest, Middleware} from './send.js'
import {sleep as sleepFor} from './sleep.js'
import {requestName} from './tracing.js'
import {asFinal, isTransient} from './transport-error.js'

export interface RetryPolicy {
  /** The number of times that a request is retried. */
  readonly retries: number
  /** The longest wait in milliseconds. A request is not retried if the registry asks for a longer wait. */
  readonly maxWait: number
}

export interface RetryFailure {
  /** Attempts made so far that count, from 1. */
  readonly attempt: number
  readonly status?: number
  readonly error?: unknown
  /** The `Retry-After` header: seconds or an HTTP date (RFC 9110, 10.2.3). */
  readonly retryAfter?: string
  /** The host's time in its answer, else the local time. */
  readonly now: Date
  /** From 0 to below 1: spreads clients that failed together. */
  readonly random: number
  /** The host's condition, this failure included; absent if it is not watched. */
  readonly host?: HostCondition
  /** `since` of the outage in which the previous attempt failed. */
  readonly outage?: number
  /** The number of times that a limiter has refused it so far. */
  readonly limited?: number
}

export interface RetryDecision {
  /** Milliseconds. */
  readonly wait: number
  /** False if the host has been gone since the attempt before, which is bounded by time, or if a limiter refused it. */
  readonly counts: boolean
  /** True if a limiter refused the request. */
  readonly limited?: boolean
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
/** Before the first answer, more retries would only delay the report of a wrong address. */
const FIRST_CONTACT_RETRIES = 1
/** A request that a limiter refuses more often than others of its time is refused for another reason. */
const MOST_LIMITED = 10
const OPTIONAL_RETRIES = 1
const OPTIONAL_WAIT = 2000

/**
 * Returns the wait before the next attempt, or undefined to give up. The first wait is 1 s, doubled each time, a
 * quarter more or less. A `Retry-After` is waited for in full.
 * An outage of a host that had answered is waited for as long as `patienceOf` says, with any number of attempts.
 */
export function retryDecision(failure: RetryFailure, policy: RetryPolicy): RetryDecision | undefined {
  const {attempt, random, host, status} = failure
  if (policy.retries === 0 || !isRetried(failure)) return undefined
  const outage = host?.outage
  if (outage !== undefined && outage.lasts >= patienceOf(policy)) return undefined
  const isLimited = status === 503 && host?.limits === true && (failure.limited ?? 0) < MOST_LIMITED
  const counts = !isLimited && (outage === undefined || outage.since !== failure.outage)
  const isContact = host?.answered === false && status === undefined
  const most = isContact ? Math.min(FIRST_CONTACT_RETRIES, policy.retries) : policy.retries
  if (counts && attempt > most) return undefined
  const asked = parseRetryAfter(failure.retryAfter, failure.now)
  if (asked !== undefined && asked > policy.maxWait) return undefined
  const backoff = Math.min(backoffOf(attempt, random), outage === undefined ? Infinity : LONGEST_OUTAGE_PAUSE)
  const own = asked === undefined || asked === 0 ? backoff : asked + Math.min(asked / 10, 1000) * random
  const wait = Math.min(Math.round(own), policy.maxWait)
  return {
    wait: Math.max(wait, Math.ceil(host?.pausedFor ?? 0)),
    counts,
    limited: isLimited || undefined,
  }
}

/**
 * Returns how long, in milliseconds, an outage is waited for: the longest wait, or the sum of all waits between retries
 * if that is more.
 */
export function patienceOf({retries, maxWait}: RetryPolicy): number {
  let sum = 0
  for (let attempt = 1; attempt <= retries; attempt++) sum += Math.min(backoffOf(attempt, 1), maxWait)
  return Math.max(sum, maxWait)
}

function backoffOf(attempt: number, random: number): number {
  return FIRST_WAIT * 2 ** Math.min(attempt - 1, 30) * (0.75 + random / 2)
}

/**
 * Retries a request as `retryDecision` says. Requests with a stream pass through, because only the maker of the stream
 * can retry them.
 * Returns the last response; throws the last error as final, so that retries are never nested.
 */
export function retrying(options: {
  readonly policy: RetryPolicy
  readonly sleep?: typeof sleepFor
  readonly onRetry?: (notice: RetryNotice) => void
  readonly conditionOf?: (origin: string) => HostCondition
}): Middleware {
  return (next) => async (request) => {
    if (request.body !== undefined && 'stream' in request.body) return next(request)
    const {sleep = sleepFor, onRetry, conditionOf} = options
    let outage: number | undefined
    let limited = 0
    for (let attempt = 1; ;) {
      const outcome = await next(request).then(
        (response) => ({response, error: undefined}),
        (error: unknown) => ({response: undefined, error}),
      )
      const {response, error} = outcome
      const status = response?.status
      const isLessened = (request.optional === true && status !== 429) || isDoubtful(request, status)
      const policy = isLessened ? lessened(options.policy) : options.policy
      const host = conditionOf?.(request.url.origin)
      const decision = request.signal?.aborted
        ? undefined
        : retryDecision(
            {
              attempt,
              status,
              error,
              retryAfter: response?.header('retry-after'),
              now: timeOf(response),
              random: Math.random(),
              host,
              outage,
              limited,
            },
            policy,
          )
      if (decision === undefined) {
        if (response === undefined) throw asFinal(error)
        return response
      }
      await response?.discard()
      onRetry?.({request, attempt, wait: decision.wait, status, error})
      if (decision.counts) attempt += 1
      if (decision.limited) limited += 1
      outage = host?.outage?.since
      await sleep(decision.wait, request.signal, () => `retry ${requestName(request)}`)
    }
  }
}

function isDoubtful({doubtful}: HttpRequest, status: number | undefined): boolean {
  return doubtful !== undefined && doubtful === status
}

/** For a request whose answer is not essential, or a verdict rather than a failure. */
function lessened({retries, maxWait}: RetryPolicy): RetryPolicy {
  return {retries: Math.min(retries, OPTIONAL_RETRIES), maxWait: Math.min(maxWait, OPTIONAL_WAIT)}
}

function isRetried({status, error}: RetryFailure): boolean {
  return status === undefined ? isTransient(error) : RETRIED.has(status)
}
