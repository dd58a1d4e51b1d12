import {formatUrl} from './location.js'
import {redactUrl} from './redact.js'
import type {HttpRequest, HttpResponse, Middleware, Send} from './send.js'
import {beginSpan, failureName, isTraced, type Bytes} from '../model/index.js'

/** A span for each request, from its first byte to the end of the answer's body. */
export const tracing: Middleware = (next) => (request) => (isTraced() ? traced(request, next) : next(request))

/** Returns the method and the redacted path of a request. */
export function requestName({method, url}: HttpRequest): string {
  return `${method} ${redactUrl(url.path)}`
}

async function traced(request: HttpRequest, next: Send): Promise<HttpResponse> {
  const {method, url, body} = request
  const end = beginSpan(() => ({
    kind: 'request',
    name: requestName(request),
    host: new URL(url.origin).host,
    details: {url: redactUrl(formatUrl(url)), sent: sizeOf(body)},
  }))
  const begun = performance.now()
  let response: HttpResponse
  try {
    response = await next(request)
  } catch (error) {
    end({error: failureName(error)})
    throw error
  }
  const {status} = response
  const answer = {status, answeredAfterMs: Math.round(performance.now() - begun)}
  if (method === 'HEAD' || status === 204) {
    end(answer)
    return response
  }
  return untilRead(response, (received) => end({...answer, received}))
}

function sizeOf(body: HttpRequest['body']): number | undefined {
  if (body === undefined) return undefined
  return 'bytes' in body ? body.bytes.length : body.length
}

/** The same response, which tells once its body is read, given up or thrown away. */
function untilRead(response: HttpResponse, told: (received: number) => void): HttpResponse {
  async function* body(): Bytes {
    let received = 0
    try {
      for await (const chunk of response.body) {
        received += chunk.length
        yield chunk
      }
    } finally {
      told(received)
    }
  }
  return {
    ...response,
    body: {[Symbol.asyncIterator]: () => body()[Symbol.asyncIterator]()},
    read: async (limit) => {
      let received = 0
      try {
        const bytes = await response.read(limit)
        received = bytes.length
        return bytes
      } finally {
        told(received)
      }
    },
    discard: () => response.discard().finally(() => told(0)),
  }
}
