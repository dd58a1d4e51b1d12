import {decoded} from './decoded.js'
import type {HttpResponse, Middleware} from './send.js'

/**
 * Reads the bodies that a request wants whole before it counts as answered: a connection that breaks in the middle of one is
 * then the request's failure, and tried again as such. Bodies of failures are left to whoever explains them.
 */
export const collecting: Middleware = (next) => async (request) => {
  const response = await next(request)
  const {collect} = request
  if (collect === undefined || response.status < 200 || response.status > 299) return response
  return withBytes(response, await decoded(response, await response.read(collect), collect))
}

/** The same response with its body in memory. */
export function withBytes(response: HttpResponse, bytes: Uint8Array): HttpResponse {
  return {
    ...response,
    body: {
      async *[Symbol.asyncIterator]() {
        if (bytes.length > 0) yield bytes
      },
    },
    read: () => Promise.resolve(bytes),
    discard: () => Promise.resolve(),
  }
}
