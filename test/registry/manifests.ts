import {
  defined,
  digestOf,
  isDigest,
  isTag,
  limits,
  mediaTypes,
  type Digest,
} from '@airgap-mirror/oci-client/model'
import {missingBelow, parseContents, type Contents} from './contents.js'
import {readBody, type Exchange} from './exchange.js'
import {Refusal} from './refusal.js'
import type {Reply} from './reply.js'
import {
  makeRepository,
  repositoryOf,
  type RegistryState,
  type Repository,
  type StoredManifest,
} from './state.js'

/** GET and HEAD, by tag or digest. */
export function getManifest({route}: Exchange, state: RegistryState): Reply {
  const repository = knownRepository(route.repository, state)
  const found = findManifest(repository, route.reference)
  if (found === undefined) throw unknownManifest()
  return {
    status: 200,
    headers: {'content-type': found.mediaType, 'docker-content-digest': found.digest},
    body: found.bytes,
  }
}

/** PUT. */
export async function putManifest(exchange: Exchange, state: RegistryState): Promise<Reply> {
  const {route, request} = exchange
  const bytes = await readBody(exchange, state, {
    limit: limits.manifestBytes,
    tooLarge: () => new Refusal(413, 'SIZE_INVALID', 'manifest is over 4 MiB'),
  })
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
  if (state.options.manifestTypes === 'oci' && mediaType.startsWith('application/vnd.docker.')) {
    throw new Refusal(415, 'MANIFEST_INVALID', 'Docker schema 2 is not accepted')
  }
  const {digest, contents} = storeManifest(state, {
    repository: route.repository,
    reference: route.reference,
    mediaType,
    bytes,
  })
  const withReferrers = state.options.referrers !== false && contents.subject !== undefined
  return {
    status: 201,
    headers: {
      location: `/v2/${route.repository}/manifests/${digest}`,
      'docker-content-digest': digest,
      ...defined({'oci-subject': withReferrers ? contents.subject : undefined}),
    },
  }
}

export interface IncomingManifest {
  readonly repository: string
  /** Tag or digest. */
  readonly reference: string
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/**
 * Checks as a registry does, and then keeps it.
 * @throws {Refusal} MANIFEST_INVALID, DIGEST_INVALID, TAG_INVALID, MANIFEST_BLOB_UNKNOWN, DENIED
 */
export function storeManifest(
  state: RegistryState,
  incoming: IncomingManifest,
): {readonly digest: Digest; readonly contents: Contents} {
  const {reference, mediaType, bytes} = incoming
  const contents = parseContents(bytes, mediaType)
  const digest = digestOf(bytes, reference.startsWith('sha512:') ? 'sha512' : 'sha256')
  if (reference.includes(':') && reference !== digest) {
    throw new Refusal(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
  }
  const tag = reference === digest ? undefined : reference
  if (tag !== undefined && !isTag(tag)) throw new Refusal(400, 'TAG_INVALID', 'invalid tag')
  const repository = makeRepository(state, incoming.repository)
  checkContent(contents, {state, repository, name: `${incoming.repository}:${tag ?? digest}`})
  if (tag !== undefined) setTag(tag, digest, {state, repository})
  repository.manifests.set(digest, {mediaType, digest, bytes})
  return {digest, contents}
}

/** DELETE: a digest takes its tags with it, a tag only itself. */
export function deleteManifest({route}: Exchange, state: RegistryState): Reply {
  const {deletion = 'on'} = state.options
  if (deletion === 'off') throw new Refusal(405, 'UNSUPPORTED', 'The operation is unsupported.')
  if (deletion === 'by-digest' && !isDigest(route.reference)) {
    throw new Refusal(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
  }
  const repository = knownRepository(route.repository, state)
  if (isDigest(route.reference)) {
    if (!repository.manifests.delete(route.reference)) throw unknownManifest()
    for (const [tag, digest] of repository.tags) if (digest === route.reference) repository.tags.delete(tag)
    return {status: 202}
  }
  if (!repository.tags.delete(route.reference)) throw unknownManifest()
  return {status: 202}
}

/** GET tags/list with `n`, `last` and `Link`. */
export function listTags({route}: Exchange, state: RegistryState): Reply {
  const repository = knownRepository(route.repository, state)
  const asked = route.params.get('n')
  if (asked !== null && !/^\d+$/.test(asked)) {
    throw new Refusal(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results requested')
  }
  const count = Math.min(Number(asked ?? Number.POSITIVE_INFINITY), state.options.maxPage ?? 1000)
  const last = route.params.get('last') ?? ''
  const rest = [...repository.tags.keys()].toSorted(compareText).filter((tag) => compareText(tag, last) > 0)
  const page = rest.slice(0, count)
  const more = page.length > 0 && page.length < rest.length
  const next = `/v2/${route.repository}/tags/list?n=${count}&last=${encodeURIComponent(page.at(-1) ?? '')}`
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      ...defined({link: more ? `<${next}>; rel="next"` : undefined}),
    },
    body: Buffer.from(JSON.stringify({name: route.repository, tags: page})),
  }
}

/** GET referrers: always an index, empty if there are no referrers; 404 if the API is switched off. */
export function listReferrers({route}: Exchange, state: RegistryState): Reply {
  if (state.options.referrers === false) throw new Refusal(404, 'UNSUPPORTED', 'no referrers API')
  if (!isDigest(route.reference)) throw new Refusal(400, 'DIGEST_INVALID', 'invalid digest')
  const filter = route.params.get('artifactType')
  const manifests = [...(repositoryOf(state, route.repository)?.manifests.values() ?? [])]
    .map((stored) => ({stored, contents: parseContents(stored.bytes, stored.mediaType)}))
    .filter(({contents}) => contents.subject === route.reference)
    .map(referrerDescriptor)
    .filter(({artifactType}) => filter === null || artifactType === filter)
  return {
    status: 200,
    headers: {
      'content-type': mediaTypes.ociIndex,
      ...defined({'oci-filters-applied': filter === null ? undefined : 'artifactType'}),
    },
    body: Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests})),
  }
}

export function findManifest(repository: Repository, reference: string): StoredManifest | undefined {
  const digest = isDigest(reference) ? reference : repository.tags.get(reference)
  return digest === undefined ? undefined : repository.manifests.get(digest)
}

/** @throws {Refusal} NAME_UNKNOWN */
export function knownRepository(name: string, state: RegistryState): Repository {
  const repository = repositoryOf(state, name)
  if (repository === undefined) {
    throw new Refusal(404, 'NAME_UNKNOWN', 'repository name not known to registry')
  }
  return repository
}

function checkContent(
  contents: Contents,
  where: {readonly state: RegistryState; readonly repository: Repository; readonly name: string},
): void {
  const policy = where.state.options.missingContent ?? 'refuse'
  const missing = missingBelow(contents, where)
  const isRefused = policy === 'refuse' || (policy === 'allow-index' && !contents.isIndex)
  if (missing.length > 0 && where.state.options.strict === true) where.state.violations.push(...missing)
  if (missing.length > 0 && isRefused) {
    throw new Refusal(400, 'MANIFEST_BLOB_UNKNOWN', `manifest references unknown content: ${missing[0]}`)
  }
}

function setTag(
  tag: string,
  digest: Digest,
  {state, repository}: {readonly state: RegistryState; readonly repository: Repository},
): void {
  const present = repository.tags.get(tag)
  if (state.options.immutableTags === true && present !== undefined && present !== digest) {
    throw new Refusal(412, 'DENIED', `tag ${tag} is immutable`)
  }
  repository.tags.set(tag, digest)
}

function referrerDescriptor({
  stored,
  contents,
}: {
  readonly stored: StoredManifest
  readonly contents: Contents
}): {readonly artifactType: unknown} & Readonly<Record<string, unknown>> {
  const {artifactType, config, annotations} = contents.json
  const configType = (config as {mediaType?: string} | undefined)?.mediaType
  return {
    mediaType: stored.mediaType,
    digest: stored.digest,
    size: stored.bytes.length,
    artifactType: artifactType ?? configType,
    annotations,
  }
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

function unknownManifest(): Refusal {
  return new Refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
}
