import type {Place} from './places.js'
import {readAnswer} from './read-answer.js'
import {atSource, DAMAGED} from './source-error.js'
import {urlOf, type RegistryClient} from '../registry/client.js'
import {endpoints} from '../registry/endpoints.js'
import {scopeOf} from '../registry/head-blob.js'
import {responseError} from '../http/response-error.js'
import type {HttpRequest} from '../http/send.js'
import {
  algorithmOf,
  digestOf,
  formatReference,
  manifestAccept,
  MirrorError,
  parseManifest,
  type CallOptions,
  type Descriptor,
  type Manifest,
} from '../model/index.js'

export interface FetchManifest extends CallOptions {
  readonly place: Place
  readonly descriptor: Descriptor
}

/**
 * The manifest with a digest; undefined where the repository lacks it. The digest is checked, the size is the caller's.
 * @throws {MirrorError} DIGEST_MISMATCH, LIMIT_EXCEEDED, MANIFEST_INVALID, SOURCE_UNSUPPORTED, and those of the registry
 */
export async function fetchManifest(
  client: RegistryClient,
  {place, descriptor, signal}: FetchManifest,
): Promise<Manifest | undefined> {
  const {digest, mediaType} = descriptor
  const target = {registry: place.registry, repository: place.repository, digest}
  const reference = formatReference(target)
  const request: HttpRequest = {
    method: 'GET',
    url: urlOf(client, endpoints.manifest(target)),
    headers: {accept: [...new Set([mediaType, ...manifestAccept])].join(', ')},
    signal,
    scopes: [scopeOf(client, place.repository)],
  }
  const {response, bytes} = await readAnswer(client, request, {reference})
  if (response.status === 404) {
    await response.discard()
    return undefined
  }
  if (response.status !== 200)
    throw await responseError(response, {side: client.side, what: 'cannot read the manifest', reference})
  const algorithm = algorithmOf(digest)
  const actual = digestOf(bytes, algorithm)
  if (actual !== digest) {
    throw new MirrorError('DIGEST_MISMATCH', `the registry gives ${actual} for ${reference}`, {
      side: client.side,
      hint: DAMAGED,
    })
  }
  try {
    return parseManifest(bytes, {mediaType, algorithm})
  } catch (error) {
    throw atSource(error, {reference})
  }
}
