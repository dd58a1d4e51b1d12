import type {HttpResponse} from './send.js'

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * Returns the milliseconds that a `Retry-After` header asks for: seconds or an HTTP date (RFC 9110, 10.2.3). Undefined
 * if it is invalid.
 */
export function parseRetryAfter(text: string | undefined, now: Date): number | undefined {
  const value = text?.trim()
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  return HTTP_DATE.test(value) ? Math.max(0, Date.parse(value) - now.getTime()) : undefined
}

/** Returns the time by the clock of the host that answered, because its `Retry-After` date is by that clock. */
export function timeOf(response: Pick<HttpResponse, 'header'> | undefined): Date {
  const date = response?.header('date')?.trim() ?? ''
  return HTTP_DATE.test(date) ? new Date(date) : new Date()
}
