import {excerpt} from './excerpt.js'
import {redactUrl} from './redact.js'
import type {HttpUrl} from './send.js'
import {canonicalRegistry, DOCKER_HUB, MirrorError, type Side} from '../model/index.js'

const ABSOLUTE = /^(?:(?<scheme>https?):)?\/\/(?<authority>[A-Za-z0-9._~%[\]:-]+)(?<rest>(?:[/?].*)?)$/i
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/
/** Characters allowed in a request line, without the backslash, which some parsers take for a slash. */
const VISIBLE = /^[\x21-\x5b\x5d-\x7e]+$/

/** Host of Docker Hub's API, which differs from the host in its image names. */
const HUB_API = 'registry-1.docker.io'

/**
 * Returns the origin of a registry's API, in the form in which origins are compared.
 * @param registry `host[:port]` as in image names; `docker.io` is Docker Hub
 * @throws {MirrorError} NAME_INVALID for a host that no URL can have, such as `10.0.0.256`
 */
export function originOf(
  registry: string,
  options: {readonly plainHttp?: boolean; readonly side?: Side} = {},
): string {
  const host = canonicalRegistry(registry) === DOCKER_HUB ? HUB_API : registry
  const url = `${options.plainHttp === true ? 'http' : 'https'}://${host}`
  if (!URL.canParse(url)) {
    throw new MirrorError(
      'NAME_INVALID',
      `${registry} is neither a host name nor an address, with or without a port`,
      {side: options.side},
    )
  }
  return new URL(url).origin
}

export function formatUrl({origin, path}: HttpUrl): string {
  return origin + path
}

/**
 * Returns the URL of a `Location` header, absolute or relative, with its query byte for byte: distribution keeps the
 * state of an upload there.
 * A registry behind a TLS proxy may name itself with http. Such a URL is raised to https if its host is the host that
 * was asked by https.
 * @throws {MirrorError} PROTOCOL for other schemes, user information, control characters, and for any other step from
 * https to http
 */
export function resolveLocation(base: HttpUrl, location: string): HttpUrl {
  if (!VISIBLE.test(location)) throw refused(location, 'it is not a valid URL')
  const text = withoutFragment(location)
  const absolute = ABSOLUTE.exec(text)?.groups
  if (absolute !== undefined) {
    const {authority = '', rest = '', scheme} = absolute
    const origin = resolveOrigin(
      base.origin,
      `${scheme ?? base.origin.split(':', 1)[0]}://${authority}`,
      location,
    )
    return {origin, path: rest.startsWith('/') ? rest : `/${rest}`}
  }
  if (text.startsWith('//') || SCHEME.test(text)) throw refused(location, 'it is no http or https URL')
  if (text.startsWith('/')) return {origin: base.origin, path: text}
  const place = base.path.split('?', 1)[0] ?? '/'
  if (text === '') return base
  if (text.startsWith('?')) return {origin: base.origin, path: place + text}
  return {origin: base.origin, path: merge(place, text)}
}

function resolveOrigin(base: string, target: string, location: string): string {
  const from = new URL(base)
  let to: URL
  try {
    to = new URL(target)
  } catch (cause) {
    throw refused(location, 'its host is not valid', cause)
  }
  if (from.protocol === 'http:' || to.protocol === 'https:') return to.origin
  if (to.hostname !== from.hostname) throw refused(location, 'it leads from https to plain http')
  // Without a port in the URL, the proxy has hidden the port as well. With a port, the registry was told it.
  const port = /:\d+$/.test(target) ? to.port : from.port
  return new URL(`https://${to.hostname}${port === '' ? '' : `:${port}`}`).origin
}

/** RFC 3986, 5.2.3 and 5.2.4, on the path alone. */
function merge(place: string, relative: string): string {
  const question = relative.indexOf('?')
  const path = question < 0 ? relative : relative.slice(0, question)
  const segments = place.split('/').slice(0, -1)
  const steps = path.split('/')
  for (const [index, step] of steps.entries()) {
    const last = index === steps.length - 1
    if (step === '..' && segments.length > 1) segments.pop()
    if (step !== '.' && step !== '..') segments.push(step)
    else if (last) segments.push('')
  }
  return segments.join('/') + (question < 0 ? '' : relative.slice(question))
}

function withoutFragment(text: string): string {
  const hash = text.indexOf('#')
  return hash < 0 ? text : text.slice(0, hash)
}

function refused(location: string, why: string, cause?: unknown): MirrorError {
  return new MirrorError(
    'PROTOCOL',
    `the registry leads on to ${excerpt(redactUrl(location), 200)}: ${why}`,
    {
      cause,
    },
  )
}
