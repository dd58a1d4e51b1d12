import {
  contentKey,
  isBlobType,
  isDigest,
  isMirrorError,
  isPending,
  limits,
  type Descriptor,
  type Manifest,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import type {ReadOptions} from '../bytes/byte-source.js'
import type {ContentTable} from '../contents/content-table.js'
import {peekManifest} from '../contents/read-manifest.js'
import type {FileTree, Unused} from '../files/file-tree.js'
import type {Producer} from '../formats/producer.js'

/** A directory that keeps blobs by their digests, as an OCI layout does. */
export interface BlobStore {
  readonly tree: FileTree
  /** The descriptors of its index.json. */
  readonly listed: readonly Descriptor[]
  readonly producer: Producer | undefined
  /** Returns the path of a file of the tree inside the bundle. */
  readonly pathOf: (file: string) => string
}

interface Bundle extends ReadOptions {
  readonly images: readonly SourceImage[]
  readonly table: ContentTable
}

/** Returns the files of blob stores that neither an image of the bundle nor an index.json leads to. */
export async function unusedBlobs(stores: readonly BlobStore[], bundle: Bundle): Promise<readonly Unused[]> {
  if (stores.length === 0) return []
  const reached = await reachedFrom(
    stores.flatMap(({listed}) => listed),
    bundle,
  )
  // By path, because several lists of one archive share its blobs.
  const unused = new Map<string, Unused>()
  for (const {tree, producer, pathOf} of stores) {
    for (const {path, kind, size} of tree.entries) {
      const reason = kind === 'file' ? whyUnused({path, size}, {reached, producer}) : undefined
      const inside = pathOf(path)
      if (reason !== undefined) unused.set(inside, {path: inside, size, reason, isWarning: false})
    }
  }
  return [...unused.values()]
}

/** The most that docker writes to describe a layer. */
const DESCRIPTION_BYTES = 64 * 1024

function whyUnused(
  {path, size}: {readonly path: string; readonly size: number},
  {reached, producer}: {readonly reached: ReadonlySet<string>; readonly producer: Producer | undefined},
): string | undefined {
  if (path.startsWith('ingest/')) return 'it is a blob that was not completely written'
  if (!path.startsWith('blobs/')) return undefined
  const [, algorithm, hex, ...rest] = path.split('/')
  const digest = `${algorithm}:${hex}`
  if (rest.length > 0 || !isDigest(digest)) return 'it lies among the blobs, but its name is not a digest'
  if (reached.has(digest)) return undefined
  // Not read to be sure: it may take another pass over a compressed bundle.
  return producer === 'docker' && size <= DESCRIPTION_BYTES
    ? 'no image needs it; docker describes each layer in such a file, for versions before 1.10'
    : 'it is a blob that no image of the index needs'
}

/** Returns the digests of all content below descriptors and images, as far as their manifests can be read. */
async function reachedFrom(
  listed: readonly Descriptor[],
  {images, table, signal}: Bundle,
): Promise<ReadonlySet<string>> {
  const reached = new Set<string>()
  let level = [...listed]
  for (const {root} of images) {
    if ('manifest' in root) level.push(root.manifest)
    else if ('pending' in root) {
      for (const content of [root.pending.config, ...root.pending.layers])
        reached.add(isPending(content) ? content.diffId : contentKey(content))
    }
  }
  for (let depth = 0; level.length > 0 && depth <= limits.indexDepth + 1; depth += 1) {
    const below: Descriptor[] = []
    for (const descriptor of level) {
      if (reached.has(descriptor.digest)) continue
      reached.add(descriptor.digest)
      if (isBlobType(descriptor.mediaType)) continue
      const manifest = await manifestOf(descriptor, {table, signal})
      if (manifest?.kind === 'index') below.push(...manifest.children)
      else if (manifest !== undefined)
        for (const {digest} of [manifest.config, ...manifest.layers]) reached.add(digest)
    }
    level = below
  }
  return reached
}

/** Returns undefined if the manifest cannot be read: its image reports that. */
async function manifestOf(
  descriptor: Descriptor,
  {table, signal}: Pick<Bundle, 'table' | 'signal'>,
): Promise<Manifest | undefined> {
  try {
    return await peekManifest(table, descriptor, {signal})
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    return undefined
  }
}
