import {isRepository} from '@airgap-mirror/oci-client/model'
import {Refusal} from './refusal.js'

export type RequestKind =
  | 'ping'
  | 'token'
  | 'mount'
  | 'start'
  | 'send'
  | 'status'
  | 'commit'
  | 'cancel'
  | 'blob-head'
  | 'blob-get'
  | 'blob-delete'
  | 'manifest-head'
  | 'manifest-get'
  | 'manifest-put'
  | 'manifest-delete'
  | 'tags'
  | 'referrers'
  | 'unknown'

export interface Route {
  readonly kind: RequestKind
  readonly repository: string
  /** The last path segment: tag, digest or upload id. */
  readonly reference: string
  readonly path: string
  /** Raw, without the question mark. */
  readonly query: string
  readonly params: URLSearchParams
}

type Kinds = Readonly<Record<string, RequestKind>>

const READ_BLOB: Kinds = {HEAD: 'blob-head', GET: 'blob-get', DELETE: 'blob-delete'}
const UPLOAD: Kinds = {PATCH: 'send', PUT: 'commit', GET: 'status', DELETE: 'cancel'}
const MANIFEST: Kinds = {
  HEAD: 'manifest-head',
  GET: 'manifest-get',
  PUT: 'manifest-put',
  DELETE: 'manifest-delete',
}

const PATHS: readonly (readonly [RegExp, Kinds])[] = [
  [/^\/v2\/(?<name>.+)\/blobs\/uploads\/?$/, {POST: 'start'}],
  [/^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<reference>[^/]+)$/, UPLOAD],
  [/^\/v2\/(?<name>.+)\/blobs\/(?<reference>[^/]+)$/, READ_BLOB],
  [/^\/v2\/(?<name>.+)\/manifests\/(?<reference>[^/]+)$/, MANIFEST],
  [/^\/v2\/(?<name>.+)\/tags\/list$/, {GET: 'tags'}],
  [/^\/v2\/(?<name>.+)\/referrers\/(?<reference>[^/]+)$/, {GET: 'referrers'}],
  [/^\/v2\/?$/, {GET: 'ping', HEAD: 'ping'}],
  [/^\/token$/, {GET: 'token', POST: 'token'}],
]

/** Which end point of the distribution-spec a request is for. */
export function routeOf(method: string, url: string): Route {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 ? '' : url.slice(mark + 1)
  const params = new URLSearchParams(query)
  for (const [pattern, kinds] of PATHS) {
    const groups = pattern.exec(path)?.groups
    const kind = kinds[method]
    if (groups === undefined && !pattern.test(path)) continue
    if (kind === undefined) continue
    return {
      kind: kind === 'start' && params.has('mount') ? 'mount' : kind,
      repository: groups?.['name'] ?? '',
      reference: decoded(groups?.['reference'] ?? ''),
      path,
      query,
      params,
    }
  }
  return {kind: 'unknown', repository: '', reference: '', path, query, params}
}

/** @throws {Refusal} NAME_INVALID */
export function checkName(route: Route): void {
  if (route.repository !== '' && !isRepository(route.repository)) {
    throw new Refusal(400, 'NAME_INVALID', 'invalid repository name')
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
