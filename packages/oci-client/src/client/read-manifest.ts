import {urlOf, type RegistryClient} from './client.js'
import {endpoints} from './endpoints.js'
import {scopeOf} from './scope.js'
import {asQuestion, leavesOpen} from './question.js'
import {readAnswer} from './read-answer.js'
import {DAMAGED, onSide} from './side-error.js'
import {encodingOf} from '../http/decoded.js'
import {contentTypeOf, isWebPage, notRegistry} from '../http/not-registry.js'
import {responseError} from '../http/response-error.js'
import type {HttpRequest, HttpResponse} from '../http/send.js'
import {
  algorithmOf,
  digestOf,
  formatReference,
  isDigest,
  isIndexType,
  isManifestType,
  isMirrorError,
  limits,
  manifestAccept,
  MirrorError,
  parseManifest,
  type CallOptions,
  type Descriptor,
  type Digest,
  type Manifest,
  type Reference,
} from '../model/index.js'

interface ManifestQuestion extends CallOptions {
  /** Addressed by its tag if it has one. */
  readonly target: Reference
  /** The media type given beside the digest; it may be a type that few registries know. */
  readonly mediaType?: string
  readonly optional?: boolean
}

/**
 * Returns the descriptor that a tag or digest points at, or undefined if there is none. Sends one HEAD, and a GET if
 * the answer lacks headers that only newer specs demand of HEAD.
 * @throws {MirrorError} the errors of `readManifest`
 */
export function resolveManifest(
  client: RegistryClient,
  question: ManifestQuestion,
): Promise<Descriptor | undefined> {
  return asQuestion(client, () => resolve(client, question))
}

async function resolve(client: RegistryClient, question: ManifestQuestion): Promise<Descriptor | undefined> {
  const {target} = question
  const response = await client.send({...request(client, question), method: 'HEAD'})
  await response.discard()
  if (response.status === 404) return undefined
  const descriptor = response.status === 200 ? describedBy(response) : undefined
  if (descriptor === undefined) return (await read(client, question))?.descriptor
  const asked = askedDigest(target)
  // A digest by another algorithm proves nothing: the registry may know one content by two digests.
  if (
    asked !== undefined &&
    algorithmOf(asked) === algorithmOf(descriptor.digest) &&
    asked !== descriptor.digest
  )
    throw mismatch(client, {target, expected: asked, actual: descriptor.digest})
  return descriptor
}

/**
 * Returns the manifest that a tag or digest points at, or undefined if there is none.
 * Its bytes match the digest in the question and the digest that the registry names. The caller must check the size.
 * @throws {MirrorError} DIGEST_MISMATCH, PROTOCOL for an answer that no registry gives, LIMIT_EXCEEDED,
 * MANIFEST_INVALID, SOURCE_UNSUPPORTED, and the errors of the registry; inconclusive if a target's answer tells nothing
 */
export function readManifest(
  client: RegistryClient,
  question: ManifestQuestion,
): Promise<Manifest | undefined> {
  return asQuestion(client, () => read(client, question))
}

async function read(client: RegistryClient, question: ManifestQuestion): Promise<Manifest | undefined> {
  const {target} = question
  const reference = formatReference(target)
  const {response, bytes} = await readAnswer(client, request(client, question), {
    reference,
    limit: limits.manifestBytes,
  })
  if (response.status === 404) {
    await response.discard()
    return undefined
  }
  if (response.status !== 200)
    throw await responseError(response, {
      side: client.side,
      what: `cannot read the manifest of ${reference}`,
      inconclusive: leavesOpen(client, response.status),
    })
  const stranger = (): MirrorError =>
    notRegistry(response, {
      bytes,
      asked: `the manifest of ${reference}`,
      side: client.side,
      repository: target.repository,
    })
  if (bytes.length === 0 || isWebPage(bytes)) throw stranger()
  const asked = askedDigest(target)
  for (const expected of [asked, digestHeader(response)]) {
    if (expected === undefined) continue
    const actual = digestOf(bytes, algorithmOf(expected))
    if (actual !== expected) throw mismatch(client, {target, expected, actual})
  }
  const digest = digestHeader(response) ?? asked
  const algorithm = digest === undefined ? 'sha256' : algorithmOf(digest)
  const given = contentTypeOf(response)
  const type = given !== undefined && isKnownType(given) ? given : question.mediaType
  try {
    return parseManifest(bytes, {mediaType: type, algorithm})
  } catch (error) {
    // A digest that is right was made by a registry.
    const isManifest = digest !== undefined || (given !== undefined && isKnownType(given))
    if (!isManifest && isMirrorError(error) && error.code === 'MANIFEST_INVALID') throw stranger()
    throw onSide(client.side, error, {reference})
  }
}

/** Returns `Docker-Content-Digest`, if it is a digest. */
export function digestHeader(response: HttpResponse): Digest | undefined {
  const digest = response.header('docker-content-digest')?.trim()
  return isDigest(digest) ? digest : undefined
}

function request(
  client: RegistryClient,
  {target, mediaType, optional, signal}: ManifestQuestion,
): Omit<HttpRequest, 'collect'> {
  const accept = mediaType === undefined ? manifestAccept : new Set([mediaType, ...manifestAccept])
  return {
    method: 'GET',
    url: urlOf(client, endpoints.manifest(target)),
    headers: {accept: [...accept].join(', ')},
    signal,
    optional,
    scopes: [scopeOf(client, target.repository)],
  }
}

function describedBy(response: HttpResponse): Descriptor | undefined {
  const digest = digestHeader(response)
  const mediaType = contentTypeOf(response)
  const length = response.header('content-length')
  const size = length === undefined ? 0 : Number(length)
  if (digest === undefined || mediaType === undefined || !isKnownType(mediaType)) return undefined
  if (!Number.isSafeInteger(size) || size <= 0 || encodingOf(response) !== undefined) return undefined
  return {mediaType, digest, size}
}

function isKnownType(mediaType: string): boolean {
  return isIndexType(mediaType) || isManifestType(mediaType)
}

function askedDigest({tag, digest}: Reference): Digest | undefined {
  return tag === undefined ? digest : undefined
}

function mismatch(
  client: RegistryClient,
  {
    target,
    expected,
    actual,
  }: {readonly target: Reference; readonly expected: Digest; readonly actual: Digest},
): MirrorError {
  return new MirrorError(
    'DIGEST_MISMATCH',
    `the registry gives ${actual} for ${formatReference(target)}, not ${expected}`,
    {side: client.side, advice: DAMAGED},
  )
}
