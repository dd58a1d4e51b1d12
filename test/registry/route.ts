import {
  routeOf as protocolRoute,
  type RequestKind as ProtocolKind,
  type Target,
} from '@airgap-mirror/cli/server'

/** An end point of the protocol, or the token server. */
export type RequestKind = ProtocolKind | 'token'

export interface Route extends Target {
  readonly kind: RequestKind
}

/** Returns the end point that a request is for. */
export function routeOf(method: string, url: string): Route {
  const route = protocolRoute(method, url)
  const isToken = route.path === '/token' && (method === 'GET' || method === 'POST')
  return isToken ? {...route, kind: 'token'} : route
}
