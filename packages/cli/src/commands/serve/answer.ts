import {isDigest, mediaTypes, type Digest, type Manifest, defined} from '@airgap-mirror/oci-client/model'
import type {Catalog, ServedBlob, ServedRepository} from './catalog.js'
import {parseRange, type Range} from './range.js'

/** An answer of the registry as data. A HEAD request gets the headers alone. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | {readonly blob: ServedBlob; readonly range: Range}
}

export interface Question {
  readonly method: string
  /** Path and query, as they came. */
  readonly url: string
  readonly range: string | undefined
}

/** A page of tags, unless fewer are asked for. */
const TAGS_A_PAGE = 1000
const NAME = /^\/v2\/(?<path>.+)\/(?<kind>manifests|blobs|tags|referrers)\/(?<reference>[^/]+)$/

/** Answers by the distribution specification 1.1, its part on pulls. */
export function answer({method, url, range}: Question, catalog: Catalog): Answer {
  if (method !== 'GET' && method !== 'HEAD') {
    return refusal(405, 'UNSUPPORTED', 'this registry is read-only', {allow: 'GET, HEAD'})
  }
  const asked = new URL(url, 'http://registry.invalid')
  if (/^\/v2\/?$/.test(asked.pathname)) return json({})
  if (asked.pathname === '/v2/_catalog') return json({repositories: pathsOf(catalog)})
  const {path = '', kind = '', reference = ''} = NAME.exec(decoded(asked.pathname))?.groups ?? {}
  if (path === '') return refusal(404, 'NAME_UNKNOWN', 'there is nothing here')
  const repositories = catalog.find(path, asked.searchParams.get('ns') ?? undefined)
  if (repositories.length === 0) return refusal(404, 'NAME_UNKNOWN', `no repository ${path} is served here`)
  if (kind === 'manifests') return manifestAnswer(repositories, reference)
  if (kind === 'blobs') return blobAnswer(repositories, reference, range)
  if (kind === 'referrers')
    return referrersAnswer(repositories, reference, asked.searchParams.get('artifactType') ?? undefined)
  return tagsAnswer(repositories, {path, reference, params: asked.searchParams})
}

export function refusal(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const {body, headers: own} = json({errors: [{code, message}]})
  return {status, headers: {...own, ...headers}, body}
}

function manifestAnswer(repositories: readonly ServedRepository[], reference: string): Answer {
  for (const {tags, manifests} of repositories) {
    const digest = isDigest(reference) ? reference : tags.get(reference)
    const manifest = digest === undefined ? undefined : manifests.get(digest)
    if (manifest === undefined) continue
    const {mediaType, digest: found} = manifest.descriptor
    return bytesAnswer(manifest.bytes, {
      'content-type': mediaType,
      'docker-content-digest': found,
      etag: `"${found}"`,
    })
  }
  return refusal(404, 'MANIFEST_UNKNOWN', `no manifest ${reference} is served here`)
}

function blobAnswer(
  repositories: readonly ServedRepository[],
  reference: string,
  asked: string | undefined,
): Answer {
  const blob = repositories
    .map(({blobs}) => blobs.get(reference as Digest))
    .find((found) => found !== undefined)
  if (blob === undefined) return manifestAsBlob(repositories, reference)
  const range = parseRange(asked, blob.size)
  if (range === 'unsatisfiable') {
    return refusal(416, 'RANGE_INVALID', 'the range begins behind the end', {
      'content-range': `bytes */${blob.size}`,
    })
  }
  const {start, end} = range ?? {start: 0, end: blob.size}
  return {
    status: range === undefined ? 200 : 206,
    headers: defined({
      'content-type': 'application/octet-stream',
      'content-length': String(end - start),
      'accept-ranges': 'bytes',
      'docker-content-digest': reference,
      etag: `"${reference}"`,
      'content-range': range === undefined ? undefined : `bytes ${start}-${end - 1}/${blob.size}`,
    }),
    body: {blob, range: {start, end}},
  }
}

/** Some clients ask for manifests as blobs, and registries answer. */
function manifestAsBlob(repositories: readonly ServedRepository[], reference: string): Answer {
  const manifest = repositories
    .map(({manifests}) => manifests.get(reference as Digest))
    .find((found) => found !== undefined)
  if (manifest === undefined) return refusal(404, 'BLOB_UNKNOWN', `no blob ${reference} is served here`)
  return bytesAnswer(manifest.bytes, {
    'content-type': 'application/octet-stream',
    'docker-content-digest': reference,
  })
}

function tagsAnswer(
  repositories: readonly ServedRepository[],
  {
    path,
    reference,
    params,
  }: {readonly path: string; readonly reference: string; readonly params: URLSearchParams},
): Answer {
  if (reference !== 'list') return refusal(404, 'NAME_UNKNOWN', 'there is nothing here')
  const wanted = params.get('n') ?? String(TAGS_A_PAGE)
  if (!/^\d{1,9}$/.test(wanted)) return refusal(400, 'PAGINATION_NUMBER_INVALID', 'n is no number')
  const last = params.get('last') ?? ''
  const all = [...new Set(repositories.flatMap(({tags}) => [...tags.keys()]))].toSorted(compare)
  const rest = all.filter((tag) => compare(tag, last) > 0)
  const page = rest.slice(0, Number(wanted))
  const {body, headers} = json({name: path, tags: page})
  if (page.length === 0 || page.length === rest.length) return {status: 200, headers, body}
  const next = new URLSearchParams({n: wanted, last: page.at(-1) ?? ''})
  const registry = params.get('ns')
  if (registry !== null) next.set('ns', registry)
  return {
    status: 200,
    headers: {...headers, link: `</v2/${path}/tags/list?${next.toString()}>; rel="next"`},
    body,
  }
}

function referrersAnswer(
  repositories: readonly ServedRepository[],
  reference: string,
  artifactType: string | undefined,
): Answer {
  if (!isDigest(reference))
    return refusal(400, 'DIGEST_INVALID', 'a referrer is asked for by the digest of its subject')
  const all = new Map<Digest, Manifest>(repositories.flatMap(({manifests}) => [...manifests]))
  const manifests = [...all.values()]
    .filter(({subject}) => subject?.digest === reference)
    .map(referrerOf)
    .filter((referrer) => artifactType === undefined || referrer.artifactType === artifactType)
  const answered = json({schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests})
  return {
    ...answered,
    headers: {
      ...answered.headers,
      'content-type': mediaTypes.ociIndex,
      ...defined({'oci-filters-applied': artifactType === undefined ? undefined : 'artifactType'}),
    },
  }
}

function referrerOf(manifest: Manifest) {
  const {descriptor, artifactType, annotations} = manifest
  const {mediaType, digest, size} = descriptor
  const type = artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined)
  return {mediaType, digest, size, artifactType: type, annotations}
}

function pathsOf(catalog: Catalog): readonly string[] {
  return [...new Set(catalog.repositories.map(({registry, repository}) => `${registry}/${repository}`))]
}

/** Returns a path with its escapes read; as it came if they are none. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

function json(value: object): Answer {
  return bytesAnswer(Buffer.from(JSON.stringify(value)), {'content-type': 'application/json'})
}

function bytesAnswer(body: Uint8Array, headers: Readonly<Record<string, string>>): Answer {
  return {status: 200, headers: {...headers, 'content-length': String(body.length)}, body}
}
