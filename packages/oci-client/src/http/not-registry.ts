import {printable} from './excerpt.js'
import {redactUrl} from './redact.js'
import {formatUrl} from './location.js'
import type {HttpResponse} from './send.js'
import {MirrorError, type Side} from '../model/index.js'

/** Returns true for a web page, which no registry sends. */
export function isWebPage(bytes: Uint8Array): boolean {
  const beginning = Buffer.from(bytes.subarray(0, 256)).toString('latin1')
  return /^(?:\xef\xbb\xbf)?\s*<(?:!doctype|!--|html|head|body|\?xml|script|meta|title)/i.test(beginning)
}

/**
 * Returns the error for a success whose body no registry would send.
 * @param options.asked the content asked for, as in `the manifest of host/name:tag`
 * @param options.repository of the request, if any: its first part may be a path that the registry is served under
 */
export function notRegistry(
  response: HttpResponse,
  options: {
    readonly bytes: Uint8Array
    readonly asked: string
    readonly side: Side
    readonly repository?: string
  },
): MirrorError {
  const {bytes, asked, side, repository} = options
  const {host} = new URL(response.url.origin)
  const type = contentTypeOf(response)
  const kind =
    bytes.length === 0
      ? 'an empty body'
      : isWebPage(bytes)
        ? 'a web page'
        : type === undefined
          ? 'something else'
          : 'another kind of content'
  const told = type === undefined ? '' : ` (${printable(type.slice(0, 100))})`
  const place = redactUrl(formatUrl(response.url)).slice(0, 300)
  const [prefix] = repository?.includes('/') === true ? repository.split('/') : []
  return new MirrorError(
    'PROTOCOL',
    `${host} answers with ${kind}${told} where ${asked} should be, at ${printable(place)}`,
    {
      side,
      advice: {kind: 'check-is-registry', host, path: prefix === undefined ? undefined : `/${prefix}`},
    },
  )
}

/** Returns the media type of an answer, without parameters. */
export function contentTypeOf(response: Pick<HttpResponse, 'header'>): string | undefined {
  const type = response.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  return type === '' ? undefined : type
}
