import {pageAfter} from '../client/page-after.js'
import {readTags} from '../client/list-tags.js'
import {readAnswer, type Answer} from '../client/read-answer.js'
import {onSide} from '../client/side-error.js'
import type {SourceHost, SourceHosts} from './source-hosts.js'
import {urlOf} from '../client/client.js'
import {endpoints} from '../client/endpoints.js'
import {scopeOf} from '../client/scope.js'
import {resolveManifest} from '../client/read-manifest.js'
import {responseError} from '../http/response-error.js'
import type {HttpRequest, HttpResponse, HttpUrl} from '../http/send.js'
import {
  attachedTo,
  cosignTags,
  formatReference,
  isIndexType,
  isManifestType,
  isMirrorError,
  limits,
  mediaTypes,
  MirrorError,
  parseJsonObject,
  parseManifest,
  referrersTag,
  type CallOptions,
  type Descriptor,
  type Digest,
  type ErrorCode,
  type Place,
} from '../model/index.js'

/** A referrer, by its subject or by a tag that names the subject. */
export type Referrer =
  | {readonly descriptor: Descriptor; readonly subject: Digest}
  | {readonly descriptor: Descriptor; readonly tag: string}

export interface FindReferrers extends CallOptions {
  readonly hosts: SourceHosts
  readonly place: Place
  readonly subject: Digest
  /** The tags that name digests, if the repository has few enough tags to list. Otherwise each tag is asked for. */
  readonly tags: ReadonlySet<string> | undefined
}

/** Longer lists of tags cost more than asking for the few possible tags. */
const TAG_PAGES = 2
/** Answers of registries without the referrers API. The spec demands 404. */
const NO_API: ReadonlySet<number> = new Set([400, 404, 405, 406, 501])
/** Errors of one lookup that do not concern the others. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'AUTH_REQUIRED',
  'AUTH_FAILED',
  'DENIED',
  'REGISTRY_FAILED',
  'RATE_LIMITED',
  'TIMEOUT',
  'UNREACHABLE',
  'MANIFEST_INVALID',
])
/** The number of failures in a row after which the list of referrers is not asked for any more. */
const FAILURES = 2

/** Returns the tags of a repository that name digests; undefined if they cannot be listed cheaply. */
export async function digestTags(
  {client}: SourceHost,
  {place, signal}: CallOptions & {readonly place: Place},
): Promise<ReadonlySet<string> | undefined> {
  try {
    const {tags, complete} = await readTags(client, {place, pages: TAG_PAGES, signal})
    return complete ? new Set(tags.filter((tag) => attachedTo(tag) !== undefined)) : undefined
  } catch (error) {
    // The right to pull may not include the right to list. Then each tag is asked for.
    if (isMirrorError(error) && error.code !== 'CANCELLED') return undefined
    throw error
  }
}

/** @throws {MirrorError} the errors of the registry; LIMIT_EXCEEDED, PROTOCOL for endless lists */
export async function findReferrers(find: FindReferrers): Promise<readonly Referrer[]> {
  const {hosts, place, subject, tags} = find
  const host = hosts.at(place.registry)
  const [listed, ...tagged] = await Promise.all([
    orNothing(host, {find, what: 'the list'}, listedReferrers(host, find)),
    ...cosignTags(subject)
      .filter((tag) => tags?.has(tag) ?? true)
      .map((tag) => orNothing(host, {find, what: tag}, taggedReferrer(host, {...find, tag}))),
  ])
  const known = (listed ?? []).filter(({mediaType, digest}) => {
    if (isIndexType(mediaType) || isManifestType(mediaType)) return true
    host.client.warn(`${digest}, which refers to ${subject}, is left out: it is neither image nor index`)
    return false
  })
  return [
    ...known.map((descriptor) => ({descriptor, subject})),
    ...tagged.filter((each) => each !== undefined),
  ]
}

async function taggedReferrer(
  {client}: SourceHost,
  {place, tag, signal}: FindReferrers & {readonly tag: string},
): Promise<Referrer | undefined> {
  const descriptor = await resolveManifest(client, {target: {...place, tag}, optional: true, signal})
  return descriptor === undefined ? undefined : {descriptor, tag}
}

/** Returns the result of one lookup, or warns, so that the results of the others are kept. */
async function orNothing<Found>(
  {client}: SourceHost,
  {find: {place, subject}, what}: {readonly find: FindReferrers; readonly what: string},
  found: Promise<Found>,
): Promise<Found | undefined> {
  try {
    return await found
  } catch (error) {
    if (!isPassing(error)) throw error
    const reference = formatReference({...place, digest: subject})
    client.warn(`signatures of ${reference} may be missing (${what}): ${error.message}`, {
      name: reference,
      text: `signatures may be missing (${what}): ${error.message}`,
    })
    return undefined
  }
}

function isPassing(error: unknown): error is MirrorError {
  return isMirrorError(error) && PASSING.has(error.code)
}

/** Returns the registry's own list (distribution-spec, Listing Referrers), or the tag that replaces it. */
async function listedReferrers(host: SourceHost, find: FindReferrers): Promise<readonly Descriptor[]> {
  if (host.referrersApi === 'no') return await byTag(host, find)
  let failure: MirrorError
  try {
    const listed = await byApi(host, find)
    host.referrersFailures = 0
    return listed ?? (await byTag(host, find))
  } catch (error) {
    if (!isPassing(error)) throw error
    failure = error
  }
  host.referrersFailures += 1
  if (failure.code === 'REGISTRY_FAILED' && host.referrersFailures >= FAILURES) host.referrersApi = 'no'
  const tagged = await byTag(host, find)
  if (tagged.length === 0) throw failure
  return tagged
}

async function byTag(
  {client}: SourceHost,
  {place, subject, tags, signal}: FindReferrers,
): Promise<readonly Descriptor[]> {
  const target = {...place, tag: referrersTag(subject)}
  if (tags?.has(target.tag) === false) return []
  const reference = formatReference(target)
  const {response, bytes} = await readAnswer(
    client,
    {
      method: 'GET',
      url: urlOf(client, endpoints.manifest(target)),
      headers: {accept: mediaTypes.ociIndex},
      signal,
      optional: true,
      scopes: [scopeOf(client, place.repository)],
    },
    {reference, limit: limits.referrersBodyBytes},
  )
  if (response.status === 200) return childrenIn(bytes, reference)
  if (response.status !== 404)
    throw await responseError(response, {
      side: client.side,
      what: `cannot read the referrers of ${reference}`,
    })
  await response.discard()
  return []
}

/** Returns undefined if the registry has no such list. */
async function byApi(
  host: SourceHost,
  {place, subject, signal}: FindReferrers,
): Promise<readonly Descriptor[] | undefined> {
  const {client} = host
  const reference = formatReference({...place, digest: subject})
  const found = new Map<Digest, Descriptor>()
  let url: HttpUrl | undefined = urlOf(client, `/v2/${place.repository}/referrers/${subject}`)
  for (let page = 1; url !== undefined; page++) {
    if (page > limits.listPages || found.size > limits.descriptorsPerManifest) {
      throw new MirrorError('LIMIT_EXCEEDED', `too much refers to ${reference}`, {side: client.side})
    }
    const request: HttpRequest = {
      method: 'GET',
      url,
      headers: {accept: mediaTypes.ociIndex},
      signal,
      optional: true,
      scopes: [scopeOf(client, place.repository)],
    }
    const {response, bytes}: Answer = await readAnswer(client, request, {
      reference,
      limit: limits.referrersBodyBytes,
    })
    if (page === 1 && !hasApi(response)) {
      await response.discard()
      if (host.referrersApi === 'unknown') host.referrersApi = 'no'
      return undefined
    }
    if (response.status !== 200)
      throw await responseError(response, {
        side: client.side,
        what: `cannot list the referrers of ${reference}`,
      })
    host.referrersApi = 'yes'
    const before = found.size
    const children = childrenIn(bytes, reference)
    for (const child of children) found.set(child.digest, child)
    url = pageAfter(client, {response, reference: `the list of referrers of ${reference}`})
    if (url !== undefined && children.length > 0 && found.size === before) {
      throw new MirrorError('PROTOCOL', `the list of referrers of ${reference} leads in a circle`, {
        side: client.side,
      })
    }
  }
  return [...found.values()]
}

/** Returns false for a page that is not an index: a proxy in front may answer every request with 200. */
function hasApi(response: HttpResponse): boolean {
  if (NO_API.has(response.status)) return false
  return response.status !== 200 || response.header('content-type')?.startsWith(mediaTypes.ociIndex) === true
}

/** Returns the children of an index, and none for other content under its tag. */
function childrenIn(bytes: Uint8Array, reference: string): readonly Descriptor[] {
  try {
    // Go writes null for an empty list.
    if (parseJsonObject(bytes, 'the list')['manifests'] === null) return []
    const manifest = parseManifest(bytes, {mediaType: mediaTypes.ociIndex})
    return manifest.kind === 'index' ? manifest.children : []
  } catch (error) {
    throw onSide('source', error, {reference})
  }
}
