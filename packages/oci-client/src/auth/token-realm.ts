import type {HttpUrl} from '../http/send.js'
import {MirrorError, type Advice, type Side} from '../model/index.js'

/** The token server that a registry's Bearer challenge names. */
export interface TokenRealm {
  readonly url: HttpUrl
  /** `host[:port]`, for messages. */
  readonly host: string
  readonly service: string | undefined
}

/**
 * Returns the realm of a Bearer challenge. It may be on any host, as many registries have a separate token server.
 * Because a credential goes there, it must be https, or http if the registry itself is reached by http.
 * @throws {MirrorError} PROTOCOL
 */
export function parseRealm(
  parameters: ReadonlyMap<string, string>,
  options: {readonly origin: string; readonly registry: string; readonly side: Side},
): TokenRealm {
  const {origin, registry, side} = options
  const invalid = (why: string, advice?: Advice): MirrorError =>
    new MirrorError('PROTOCOL', `${registry} sends its clients to a token server ${why}`, {side, advice})
  const realm = parameters.get('realm') ?? ''
  const url = URL.canParse(realm) ? new URL(realm) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw invalid('whose address cannot be read')
  if (url.username !== '' || url.password !== '') throw invalid('whose address carries a user name')
  if (url.protocol === 'http:' && !origin.startsWith('http:')) {
    throw invalid(`without TLS (${url.host}), so no credential was sent`, {kind: 'use-https-realm'})
  }
  return {
    url: {origin: url.origin, path: `${url.pathname}${url.search}`},
    host: url.host,
    service: parameters.get('service'),
  }
}

export function sameRealm(left: TokenRealm, right: TokenRealm): boolean {
  return (
    left.url.origin === right.url.origin && left.url.path === right.url.path && left.service === right.service
  )
}
