import {formatUrl} from './location.js'
import {excerpt} from './excerpt.js'
import {redactUrl} from './redact.js'
import type {Middleware} from './send.js'
import {messageOf} from '../model/index.js'
import type {Exchange} from './options.js'

const LONGEST_CAUSE = 400

/** The message of an error and the message of its first cause as its library words it, with the lines of its source. */
function inFull(error: unknown): string {
  let first: unknown = error
  for (let depth = 0; depth < 8 && first instanceof Error && first.cause instanceof Error; depth++)
    first = first.cause
  const message = messageOf(error)
  const cause = first instanceof Error ? excerpt(first.message, LONGEST_CAUSE) : ''
  return cause === '' || message.includes(cause) ? message : `${message} (${cause})`
}

/** Reports each request once its response headers have arrived or it has failed. */
export function logging(onExchange: (exchange: Exchange) => void): Middleware {
  return (next) => async (request) => {
    const started = performance.now()
    const exchange = (status: number | undefined): Exchange => ({
      method: request.method,
      url: redactUrl(formatUrl(request.url)),
      status,
      milliseconds: Math.round(performance.now() - started),
    })
    try {
      const response = await next(request)
      onExchange(exchange(response.status))
      return response
    } catch (error) {
      onExchange({...exchange(undefined), error: inFull(error)})
      throw error
    }
  }
}
