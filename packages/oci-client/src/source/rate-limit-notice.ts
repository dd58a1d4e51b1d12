import type {HttpResponse, Middleware} from '../http/send.js'

/** The requests that a registry says it will still answer. */
export interface RateLimit {
  readonly remaining: number
  readonly limit: number | undefined
  /** Seconds. */
  readonly window: number | undefined
}

/** For a registry that does not tell its limit. */
const FEW = 10
const FEW_OF_LIMIT = 0.1
const VALUE = /^\s*(\d{1,9})(?:\s*;\s*w=(\d{1,9}))?/

/**
 * Parses `RateLimit-Remaining: 76;w=21600` with `RateLimit-Limit` (Docker Hub), and the same with `X-` in front
 * (GitHub, GitLab). Undefined if the answer has neither.
 */
export function rateLimitOf(response: Pick<HttpResponse, 'header'>): RateLimit | undefined {
  const value = (name: string): RegExpExecArray | null =>
    VALUE.exec(response.header(`ratelimit-${name}`) ?? response.header(`x-ratelimit-${name}`) ?? '')
  const remaining = value('remaining')
  if (remaining === null) return undefined
  const limit = value('limit')
  const window = remaining[2] ?? limit?.[2]
  return {
    remaining: Number(remaining[1]),
    limit: limit === null ? undefined : Number(limit[1]),
    window: window === undefined ? undefined : Number(window),
  }
}

/** Warns once when few requests are left of a registry's rate limit, and once when none are. */
export function noticingRateLimit({
  registry,
  warn,
}: {
  readonly registry: string
  readonly warn: (text: string) => void
}): Middleware {
  let least: 'enough' | 'few' | 'none' = 'enough'
  return (next) => async (request) => {
    const response = await next(request)
    const rate = rateLimitOf(response)
    if (rate === undefined) return response
    const left = leftOf(rate)
    if (left !== 'enough' && left !== least && least !== 'none') {
      least = left
      warn(noticeOf(registry, rate))
    }
    return response
  }
}

function leftOf({remaining, limit}: RateLimit): 'enough' | 'few' | 'none' {
  if (remaining === 0) return 'none'
  return remaining <= (limit === undefined ? FEW : limit * FEW_OF_LIMIT) ? 'few' : 'enough'
}

function noticeOf(registry: string, {remaining, limit, window}: RateLimit): string {
  const of = limit === undefined ? '' : ` of ${limit}`
  const time = window === undefined ? '' : ` in ${Math.max(1, Math.round(window / 60))} minutes`
  const login = 'a login to the registry usually raises the limit'
  return remaining === 0
    ? `${registry} leaves no more requests${time}: ${login}`
    : `${registry} leaves ${remaining}${of} requests${time}: ${login}`
}
