import {formatUrl} from './location.js'
import {redactUrl} from './redact.js'
import type {Middleware} from './send.js'
import {messageOf} from '../model/index.js'
import type {Exchange} from './options.js'

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
      onExchange({...exchange(undefined), error: messageOf(error)})
      throw error
    }
  }
}
