import {
  defined,
  digestOf,
  isDigest,
  isJsonObject,
  isTag,
  limits,
  mediaTypes,
} from '@airgap-mirror/oci-client/model'
import {digestIn} from './blobs.js'
import {parseContents} from './contents.js'
import {jsonReply, Refusal} from './refusal.js'
import type {Exchange, IncomingManifest, ReadableRepository, Registry, StoredManifest} from './registry.js'
import type {Reply} from './reply.js'

/** GET and HEAD, by tag or digest. */
export async function getManifest({route}: Exchange, repository: ReadableRepository): Promise<Reply> {
  const {reference} = route
  const digest = isDigest(reference) ? reference : repository.resolve(reference)
  const found = digest === undefined ? undefined : await repository.manifest(digest)
  if (found === undefined) throw unknownManifest()
  return {
    status: 200,
    headers: {
      'content-type': found.mediaType,
      'docker-content-digest': found.digest,
      etag: `"${found.digest}"`,
    },
    body: found.bytes,
  }
}

/** PUT. */
export async function putManifest({route, headers, body}: Exchange, registry: Registry): Promise<Reply> {
  const {repository, reference} = route
  const mediaType = (headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
  const manifest = readManifest({reference, mediaType, bytes: await readManifestBody(body)})
  await registry.open(repository).putManifest(manifest)
  const {digest, contents} = manifest
  return {
    status: 201,
    headers: {
      location: `/v2/${repository}/manifests/${digest}`,
      'docker-content-digest': digest,
      ...defined({'oci-subject': contents.subject}),
    },
  }
}

/**
 * Reads a manifest that is put under a tag or a digest.
 * @throws {Refusal} MANIFEST_INVALID, DIGEST_INVALID, TAG_INVALID
 */
export function readManifest({
  reference,
  mediaType,
  bytes,
}: {
  readonly reference: string
  readonly mediaType: string
  readonly bytes: Uint8Array
}): IncomingManifest {
  const contents = parseContents(bytes, mediaType)
  const digest = digestOf(bytes, reference.startsWith('sha512:') ? 'sha512' : 'sha256')
  if (reference.includes(':') && reference !== digest) {
    throw new Refusal(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content')
  }
  const tag = reference === digest ? undefined : reference
  if (tag !== undefined && !isTag(tag)) throw new Refusal(400, 'TAG_INVALID', 'invalid tag')
  return {mediaType, digest, bytes, contents, tag}
}

/** DELETE: a digest takes its tags with it, a tag only itself. */
export async function deleteManifest({route}: Exchange, registry: Registry): Promise<Reply> {
  const {reference} = route
  const repository = registry.open(route.repository)
  const isGone = isDigest(reference)
    ? await repository.deleteManifest(reference)
    : await repository.deleteTag(reference)
  if (!isGone) throw unknownManifest()
  return {status: 202}
}

/** GET referrers: always an index, empty if there are no referrers. */
export async function listReferrers(
  {route}: Exchange,
  repository: ReadableRepository | undefined,
): Promise<Reply> {
  const filter = route.params.get('artifactType')
  const subject = digestIn(route.reference)
  const manifests = [...((await repository?.referrers(subject)) ?? [])]
    .map(referrerDescriptor)
    .filter(({artifactType}) => filter === null || artifactType === filter)
  return jsonReply(
    {schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests},
    {
      headers: {
        'content-type': mediaTypes.ociIndex,
        ...defined({'oci-filters-applied': filter === null ? undefined : 'artifactType'}),
      },
    },
  )
}

function referrerDescriptor({mediaType, digest, bytes}: StoredManifest): {
  readonly artifactType: unknown
} & Readonly<Record<string, unknown>> {
  const {artifactType, config, annotations} = parseContents(bytes, mediaType).json
  const configType = isJsonObject(config) ? config['mediaType'] : undefined
  return {
    mediaType,
    digest,
    size: bytes.length,
    artifactType: artifactType ?? configType,
    annotations,
  }
}

async function readManifestBody(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limits.manifestBytes) throw new Refusal(413, 'SIZE_INVALID', 'manifest is over 4 MiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

function unknownManifest(): Refusal {
  return new Refusal(404, 'MANIFEST_UNKNOWN', 'manifest unknown')
}
