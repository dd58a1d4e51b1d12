import {decoded} from './decoded.js'
import type {HttpResponse, Middleware} from './send.js'

/**
 * Reads the bodies that a request wants whole before it counts as answered. A connection that breaks in the middle is
 * then a failure of the request, and is retried.
 * Bodies of failures are left unread.
 */
export const collecting: Middleware = (next) => async (request) => {
  const response = await next(request)
  const {collect} = request
  if (collect === undefined || response.status < 200 || response.status > 299) return response
  return withBytes(response, await decoded(response, await response.read(collect), collect))
}

/** Returns the same response with its body in memory. */
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
