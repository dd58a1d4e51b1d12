import {resolveLocation} from '../http/location.js'
import type {HttpResponse, HttpUrl} from '../http/send.js'

const AUTHORITY = /^(?:https?:)?\/\/[^/?#]*/i

/**
 * The next page of a list, from `Link: <…>; rel="next"` (RFC 8288); undefined on the last one. It is at the registry that was
 * asked, whatever host the link names: one behind a proxy may know itself by another name.
 * @throws {MirrorError} PROTOCOL where it is no URL
 */
export function nextPage(response: Pick<HttpResponse, 'headers' | 'url'>): HttpUrl | undefined {
  const target = nextTarget(response.headers('link'))
  if (target === undefined) return undefined
  return resolveLocation(response.url, target.replace(AUTHORITY, ''))
}

function nextTarget(values: readonly string[]): string | undefined {
  for (const value of values) {
    for (const [, target, parameters = ''] of value.matchAll(/<([^<>]*)>([^<>]*)/g)) {
      if (parameters.split(/[;,]/).some(isNext)) return target
    }
  }
  return undefined
}

function isNext(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=', 2)
  const relations = value.trim().replaceAll('"', '').toLowerCase().split(/\s+/)
  return name.trim().toLowerCase() === 'rel' && relations.includes('next')
}
