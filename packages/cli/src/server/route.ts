import {isRepository} from '@airgap-mirror/oci-client/model'
import {Refusal} from './refusal.js'

/** An end point of the distribution specification together with the method. */
export type RequestKind =
  | 'ping'
  | 'catalog'
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

/** The content that a request is about. */
export interface Target {
  /** As it stands in the path; empty if the end point has none. */
  readonly repository: string
  /** The last path segment: tag, digest or upload id. */
  readonly reference: string
  readonly path: string
  /** Raw, without the question mark. */
  readonly query: string
  readonly params: URLSearchParams
}

export interface Route extends Target {
  readonly kind: RequestKind
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
  [/^\/v2\/(?<name>.+)\/tags\/list$/, {GET: 'tags', HEAD: 'tags'}],
  [/^\/v2\/(?<name>.+)\/referrers\/(?<reference>[^/]+)$/, {GET: 'referrers', HEAD: 'referrers'}],
  [/^\/v2\/_catalog$/, {GET: 'catalog', HEAD: 'catalog'}],
  [/^\/v2\/?$/, {GET: 'ping', HEAD: 'ping'}],
]

/** Returns the end point that a request is for. */
export function routeOf(method: string, url: string): Route {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 ? '' : url.slice(mark + 1)
  const params = new URLSearchParams(query)
  for (const [pattern, kinds] of PATHS) {
    const match = pattern.exec(path)
    const kind = kinds[method]
    if (match === null || kind === undefined) continue
    return {
      kind: kind === 'start' && params.has('mount') ? 'mount' : kind,
      repository: match.groups?.['name'] ?? '',
      reference: decoded(match.groups?.['reference'] ?? ''),
      path,
      query,
      params,
    }
  }
  return {kind: 'unknown', repository: '', reference: '', path, query, params}
}

/** @throws {Refusal} NAME_INVALID */
export function checkName({repository}: Pick<Target, 'repository'>): void {
  if (repository !== '' && !isRepository(repository)) {
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
