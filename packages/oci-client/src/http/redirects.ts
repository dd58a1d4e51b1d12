import {resolveLocation} from './location.js'
import type {HttpRequest, HttpResponse, HttpUrl, Middleware} from './send.js'
import {limits, MirrorError} from '../model/index.js'

const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization'])

/**
 * Follows redirects of GET and HEAD, and 307 and 308 of other methods if the body can be sent again. Any other redirect
 * is returned.
 * Once a hop has left the first request's origin, the request stays `anonymous`, even if a later hop leads back.
 * Rejects with PROTOCOL if a redirect leads to a forbidden URL, or if there are too many.
 */
export function followRedirects(): Middleware {
  return (next) => async (first) => {
    let request = first
    for (let hops = 0; ; hops++) {
      const response = await next(request)
      const location = response.header('location')
      if (location === undefined || !mayFollow(request, response))
        return hasLeft(request, first) ? {...response, redirectedFrom: first.url.origin} : response
      await response.discard()
      if (hops === limits.redirects) {
        throw new MirrorError('PROTOCOL', `${first.url.origin} redirects more than ${limits.redirects} times`)
      }
      request = onward(request, resolveLocation(response.url, location))
    }
  }
}

function hasLeft({url}: HttpRequest, first: HttpRequest): boolean {
  return url.origin !== first.url.origin
}

function mayFollow({method, body}: HttpRequest, {status}: HttpResponse): boolean {
  if (status !== 301 && status !== 302 && status !== 303 && status !== 307 && status !== 308) return false
  if (method === 'GET' || method === 'HEAD') return true
  return status >= 307 && (body === undefined || 'bytes' in body)
}

function onward(request: HttpRequest, url: HttpUrl): HttpRequest {
  if (request.anonymous !== true && url.origin === request.url.origin) return {...request, url}
  const {headers = {}, ...rest} = request
  const kept = Object.entries(headers).filter(([name]) => !CREDENTIAL_HEADERS.has(name.toLowerCase()))
  return {...rest, url, headers: Object.fromEntries(kept), scopes: [], anonymous: true}
}
