import {urlOf, type RegistryClient} from '../client/client.js'
import {endpoints, pushScope} from '../client/endpoints.js'
import {digestHeader} from '../client/read-manifest.js'
import {responseError} from '../http/response-error.js'
import type {HttpResponse} from '../http/send.js'
import {
  algorithmOf,
  digestOf,
  formatReference,
  MirrorError,
  type CallOptions,
  type Descriptor,
  type Manifest,
  type Reference,
} from '../model/index.js'

export interface PutManifest extends CallOptions {
  readonly target: Reference
  readonly manifest: Pick<Manifest, 'descriptor' | 'bytes'> & {readonly layers?: readonly Descriptor[]}
}

/**
 * Stores the unchanged bytes under the tag, else under the digest.
 * @throws {MirrorError} BLOB_UNKNOWN, MANIFEST_REJECTED, PROTOCOL if the registry stored other content
 */
export async function putManifestBytes(
  client: RegistryClient,
  {target, manifest, signal}: PutManifest,
): Promise<HttpResponse> {
  const {descriptor, bytes} = manifest
  const at = target.tag === undefined ? {...target, digest: descriptor.digest} : target
  const reference = formatReference(at)
  const response = await client.send({
    method: 'PUT',
    url: urlOf(client, endpoints.manifest(at)),
    headers: {'content-type': descriptor.mediaType, 'content-length': String(bytes.length)},
    body: {bytes},
    signal,
    doubtful: hasUrls(manifest) ? FOREIGN_LAYERS_REFUSED : undefined,
    scopes: [pushScope(target.repository)],
  })
  if (response.status < 200 || response.status > 299)
    throw await refusal(response, {client, what: `cannot push the manifest of ${reference}`, manifest, at})
  await response.discard()
  const stored = digestHeader(response)
  if (stored !== undefined && stored !== digestOf(bytes, algorithmOf(stored))) {
    throw new MirrorError('PROTOCOL', `${reference}: the registry stored another manifest, ${stored}`, {
      side: client.side,
      advice: {kind: 'find-changing-proxy'},
    })
  }
  return response
}

/** Distribution's answer to layers with URLs that its configuration does not allow, and by default it allows none. */
const FOREIGN_LAYERS_REFUSED = 500

function hasUrls({layers = []}: PutManifest['manifest']): boolean {
  return layers.some(({urls = []}) => urls.length > 0)
}

async function refusal(
  response: HttpResponse,
  {
    client,
    what,
    manifest,
    at,
  }: Pick<PutManifest, 'manifest'> & {
    readonly client: RegistryClient
    readonly what: string
    readonly at: Reference
  },
): Promise<MirrorError> {
  const {side} = client
  const isPolicy = response.status === FOREIGN_LAYERS_REFUSED && hasUrls(manifest)
  const isBySha512 = at.tag === undefined && at.digest !== undefined && algorithmOf(at.digest) === 'sha512'
  const error = await responseError(response, {side, what})
  // Distribution 2 compares every digest with its own, of SHA-256: DIGEST_INVALID.
  if (isBySha512 && response.status === 400 && error.code === 'PROTOCOL') {
    return new MirrorError('MANIFEST_REJECTED', error.message, {
      side,
      advice: {kind: 'use-sha256'},
      cause: error,
    })
  }
  if (!isPolicy || error.code !== 'REGISTRY_FAILED') return error
  return new MirrorError('MANIFEST_REJECTED', error.message, {
    side,
    advice: {kind: 'allow-foreign-layers'},
    cause: error,
  })
}
