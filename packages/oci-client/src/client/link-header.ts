import {excerpt} from '../http/excerpt.js'
import {resolveLocation} from '../http/location.js'
import {redactUrl} from '../http/redact.js'
import type {HttpResponse, HttpUrl} from '../http/send.js'
import {MirrorError} from '../model/index.js'

const LIST = '/tags/list'
const AUTHORITY = /^(?:https?:)?\/\/[^/?#]*/i
/** The start of a target without angle brackets: anything else is not a target. */
const TARGET = /^(?:https?:\/\/|[/?])\S*$/i

/**
 * Returns the next page of a list, from `Link: <…>; rel="next"` (RFC 8288); undefined on the last page.
 * The page is always read from the registry that was asked, because a registry behind a proxy may know itself by
 * another host name.
 * A link without a relation is the next page, and angle brackets may be missing: registries send both.
 * @throws {MirrorError} PROTOCOL for a link that cannot be parsed, because the list would pass for complete without it
 */
export function nextPage(response: Pick<HttpResponse, 'headers' | 'url'>): HttpUrl | undefined {
  for (const value of response.headers('link')) {
    for (const text of linksIn(value)) {
      if (text.trim() === '') continue
      const {target, relations} = parseLink(text)
      if (relations.length > 0 && !relations.includes('next')) continue
      if (target === undefined) throw notUnderstood(value)
      // The rest may look like an authority again.
      const {path} = resolveLocation(response.url, target.replace(AUTHORITY, ''))
      return {origin: response.url.origin, path: ofThisList(path, response.url.path)}
    }
  }
  return undefined
}

/**
 * Returns the path of a next page under the path that was asked: registries behind a path of their own (Nexus, Artifactory)
 * name pages by a path that they do not serve at this address.
 */
function ofThisList(path: string, asked: string): string {
  const [named = '', query] = path.split('?', 2)
  const [list = ''] = asked.split('?', 1)
  return query !== undefined && named.endsWith(LIST) && list.endsWith(LIST) ? `${list}?${query}` : path
}

/** Splits at commas outside of angle brackets and quotes, in one pass. */
function linksIn(value: string): readonly string[] {
  const links: string[] = []
  let start = 0
  let closing: string | undefined
  for (let index = 0; index < value.length; index++) {
    const character = value[index]
    if (closing !== undefined) {
      if (character === closing) closing = undefined
    } else if (character === '<') closing = '>'
    else if (character === '"') closing = '"'
    else if (character === ',') {
      links.push(value.slice(start, index))
      start = index + 1
    }
  }
  return [...links, value.slice(start)]
}

/** Returns no target if none can be parsed. */
function parseLink(text: string): {
  readonly target: string | undefined
  readonly relations: readonly string[]
} {
  const bracketed = /^\s*<([^>]*)>(.*)$/s.exec(text)
  const [bare = '', ...rest] = text.split(';')
  const plain = bare.trim()
  const target = bracketed?.[1]?.trim() ?? (TARGET.test(plain) ? plain : undefined)
  const parameters = bracketed?.[2]?.split(';') ?? rest
  const relations = parameters.flatMap((parameter) => {
    const [name = '', value = ''] = parameter.split('=', 2)
    if (name.trim().toLowerCase() !== 'rel') return []
    const names = value.replaceAll(/["']/g, '').trim().toLowerCase()
    return names === '' ? [] : names.split(/\s+/)
  })
  return {target: target === '' || /\s/.test(target ?? '') ? undefined : target, relations}
}

function notUnderstood(value: string): MirrorError {
  return new MirrorError(
    'PROTOCOL',
    `the list is incomplete: its link to the next page is not understood: ${excerpt(redactUrl(value), 200)}`,
  )
}
