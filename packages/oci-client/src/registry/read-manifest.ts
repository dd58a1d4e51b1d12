import {urlOf, type RegistryClient} from './client.js'
import {endpoints} from './endpoints.js'
import {scopeOf} from './head-blob.js'
import {responseError} from '../http/response-error.js'
import type {HttpResponse} from '../http/send.js'
import {
  algorithmOf,
  digestOf,
  formatReference,
  isDigest,
  isIndexType,
  isManifestType,
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

/**
 * What a tag or digest points at; undefined where there is nothing. One HEAD, and a GET where the registry leaves out what
 * only newer specs demand of HEAD.
 */
export async function resolveManifest(
  client: RegistryClient,
  {target, signal}: CallOptions & {readonly target: Reference},
): Promise<Descriptor | undefined> {
  const response = await request(client, {method: 'HEAD', target, signal})
  await response.discard()
  if (response.status === 404) return undefined
  const descriptor = response.status === 200 ? describedBy(response) : undefined
  if (descriptor === undefined) return (await readManifest(client, {target, signal}))?.descriptor
  checkAsked(client, {target, digest: descriptor.digest})
  return descriptor
}

/**
 * The manifest a tag or digest points at; undefined where there is nothing.
 * @throws {MirrorError} PROTOCOL where its bytes are not those of the digest, LIMIT_EXCEEDED, MANIFEST_INVALID
 */
export async function readManifest(
  client: RegistryClient,
  {target, signal}: CallOptions & {readonly target: Reference},
): Promise<Manifest | undefined> {
  const response = await request(client, {method: 'GET', target, signal})
  if (response.status === 404) {
    await response.discard()
    return undefined
  }
  if (response.status !== 200) {
    throw await responseError(response, {
      side: client.side,
      what: 'cannot read the manifest',
      reference: formatReference(target),
    })
  }
  const bytes = await response.read(limits.manifestBytes)
  const digest = digestHeader(response) ?? askedDigest(target)
  const algorithm = digest === undefined ? 'sha256' : algorithmOf(digest)
  if (digest !== undefined && digestOf(bytes, algorithm) !== digest) {
    throw new MirrorError(
      'PROTOCOL',
      `${formatReference(target)}: its manifest is not the ${digest} it is said to be`,
      {
        side: client.side,
      },
    )
  }
  const asked = askedDigest(target)
  if (asked !== undefined && digestOf(bytes, algorithmOf(asked)) !== asked) throw another(client, target)
  return parseManifest(bytes, {mediaType: contentType(response), algorithm})
}

/** `Docker-Content-Digest`, where it is one. */
export function digestHeader(response: HttpResponse): Digest | undefined {
  const digest = response.header('docker-content-digest')
  return isDigest(digest) ? digest : undefined
}

function request(
  client: RegistryClient,
  {method, target, signal}: CallOptions & {readonly method: 'GET' | 'HEAD'; readonly target: Reference},
): Promise<HttpResponse> {
  return client.send({
    method,
    url: urlOf(client, endpoints.manifest(target)),
    headers: {accept: manifestAccept.join(', ')},
    ...(method === 'GET' ? {collect: limits.manifestBytes} : {}),
    signal,
    scopes: [scopeOf(client, target.repository)],
  })
}

function describedBy(response: HttpResponse): Descriptor | undefined {
  const digest = digestHeader(response)
  const mediaType = contentType(response)
  const length = response.header('content-length')
  const size = length === undefined ? 0 : Number(length)
  const usable = mediaType !== undefined && (isIndexType(mediaType) || isManifestType(mediaType))
  if (digest === undefined || !usable || !Number.isSafeInteger(size) || size <= 0) return undefined
  return {mediaType, digest, size}
}

function contentType(response: HttpResponse): string | undefined {
  return response.header('content-type')?.split(';', 1)[0]?.trim()
}

function askedDigest({tag, digest}: Reference): Digest | undefined {
  return tag === undefined ? digest : undefined
}

function checkAsked(
  client: RegistryClient,
  {target, digest}: {readonly target: Reference; readonly digest: Digest},
): void {
  const asked = askedDigest(target)
  // Another algorithm says nothing: the registry may know one content by two digests.
  if (asked !== undefined && algorithmOf(asked) === algorithmOf(digest) && asked !== digest)
    throw another(client, target)
}

function another(client: RegistryClient, target: Reference): MirrorError {
  return new MirrorError(
    'PROTOCOL',
    `${formatReference(target)}: the registry answered with another manifest`,
    {
      side: client.side,
    },
  )
}
