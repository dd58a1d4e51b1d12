import type {RegistryClient} from '../client/client.js'
import {putManifestBytes} from './put-manifest.js'
import {readTags} from '../client/list-tags.js'
import {readManifest} from '../client/read-manifest.js'
import {
  digestOf,
  formatReference,
  isInconclusive,
  isJsonObject,
  limits,
  mediaTypes,
  MirrorError,
  parseJsonObject,
  referrersTag,
  type CallOptions,
  type Descriptor,
  type Digest,
  type JsonObject,
  type Manifest,
  type Reference,
  defined,
} from '../model/index.js'

interface Referrer extends CallOptions {
  readonly repository: string
  readonly subject: Digest
  readonly manifest: Manifest
}

/** Adds referrers to the index that replaces the referrers API in older registries; one at a time for a subject. */
export type AddReferrer = (referrer: Referrer) => Promise<void>

export function referrersByTag(client: RegistryClient): AddReferrer {
  const queues = new Map<string, Promise<void>>()
  return async (referrer) => {
    const key = `${referrer.repository}@${referrer.subject}`
    // Read, change, write: only this queue keeps two writers from losing an entry.
    const turn = (queues.get(key) ?? Promise.resolve()).then(() => append(client, referrer))
    const settled = turn.catch(() => {})
    queues.set(key, settled)
    try {
      await turn
    } finally {
      if (queues.get(key) === settled) queues.delete(key)
    }
  }
}

async function append(
  client: RegistryClient,
  {repository, subject, manifest, signal}: Referrer,
): Promise<void> {
  const target = {registry: client.registry, repository, tag: referrersTag(subject)}
  const existing = await indexAt(client, {target, signal})
  if (existing !== undefined && existing.kind !== 'index') {
    throw new MirrorError(
      'MANIFEST_REJECTED',
      `${formatReference(target)} is not an index, so the referrers of ${subject} cannot be listed in it`,
      {side: client.side, advice: {kind: 'free-referrers-tag'}},
    )
  }
  if (existing?.children.some(({digest}) => digest === manifest.descriptor.digest) === true) return
  const bytes = withEntry(existing?.bytes, entryOf(manifest))
  if (bytes.length > limits.referrersBodyBytes) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${formatReference(target)} would be over ${limits.referrersBodyBytes} bytes`,
    )
  }
  const mediaType = existing?.descriptor.mediaType ?? mediaTypes.ociIndex
  const descriptor = {mediaType, digest: digestOf(bytes), size: bytes.length}
  await putManifestBytes(client, {target, manifest: {descriptor, bytes}, signal})
}

/** Returns undefined if the tag is absent, also if the registry refuses to read absent tags and its list shows it. */
async function indexAt(
  client: RegistryClient,
  question: CallOptions & {readonly target: Reference & {readonly tag: string}},
): Promise<Manifest | undefined> {
  try {
    return await readManifest(client, question)
  } catch (error) {
    // An index that is there and cannot be read must not be replaced: the entries of others would be lost.
    if (!isInconclusive(error) || (await mayHaveTag(client, question))) throw error
    return undefined
  }
}

async function mayHaveTag(
  client: RegistryClient,
  {target, signal}: CallOptions & {readonly target: Reference & {readonly tag: string}},
): Promise<boolean> {
  try {
    const {tags, complete} = await readTags(client, {place: target, signal})
    return !complete || tags.includes(target.tag)
  } catch {
    // A list that cannot be read proves nothing. The caller has an error already.
    return true
  }
}

/** Keeps every other entry and field unchanged. */
function withEntry(existing: Uint8Array | undefined, entry: Descriptor): Uint8Array {
  const index: JsonObject =
    existing === undefined
      ? {schemaVersion: 2, mediaType: mediaTypes.ociIndex}
      : parseJsonObject(existing, 'referrers index')
  const entries: readonly unknown[] = Array.isArray(index['manifests']) ? index['manifests'] : []
  return Buffer.from(JSON.stringify({...index, manifests: [...entries.filter(isJsonObject), entry]}))
}

function entryOf(manifest: Manifest): Descriptor {
  const artifactType =
    manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined)
  const {annotations} = manifest
  return {
    ...manifest.descriptor,
    ...defined({artifactType, annotations}),
  }
}
