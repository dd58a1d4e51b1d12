import {
  childrenOf,
  isForeignLayerType,
  isIndexType,
  isManifestType,
  limits,
  parseManifest,
  algorithmOf,
  digestOf,
  isMirrorError,
  type CallOptions,
  type Descriptor,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import type {ContentStore} from './content-store.js'

/** Returns the path of a descriptor's content in a store. */
type PathOf = (descriptor: Pick<Descriptor, 'digest' | 'mediaType'>) => string

interface Stored extends CallOptions {
  readonly store: ContentStore
  readonly pathOf: PathOf
}

/** Returns a manifest at the target; undefined if no manifest has this digest, or it is damaged. */
export async function storedManifest(
  descriptor: Pick<Descriptor, 'digest' | 'mediaType'>,
  {store, pathOf, signal}: Stored,
): Promise<Manifest | undefined> {
  const path = pathOf(descriptor)
  if (((await store.sizeOf(path)) ?? Infinity) > limits.manifestBytes) return undefined
  const bytes = await store.read(path, {limit: limits.manifestBytes, signal})
  const algorithm = algorithmOf(descriptor.digest)
  if (bytes === undefined || digestOf(bytes, algorithm) !== descriptor.digest) return undefined
  try {
    return parseManifest(bytes, {mediaType: descriptor.mediaType, algorithm})
  } catch (error) {
    if (isMirrorError(error)) return undefined
    throw error
  }
}

/** Returns true if the target has all content of an image, verified; false for the remains of an interrupted run. */
export async function isComplete(root: Manifest, stored: Stored): Promise<boolean> {
  const seen = new Set<string>()
  const visit = async (manifest: Manifest, depth: number): Promise<boolean> => {
    for (const child of childrenOf(manifest)) {
      if (seen.has(child.digest)) continue
      seen.add(child.digest)
      if (isIndexType(child.mediaType) || (manifest.kind === 'index' && isManifestType(child.mediaType))) {
        const below = depth < limits.indexDepth ? await storedManifest(child, stored) : undefined
        if (below === undefined || !(await visit(below, depth + 1))) return false
      } else if (!isForeignLayerType(child.mediaType)) {
        if (!(await stored.store.holds(stored.pathOf(child), child))) return false
      }
    }
    return true
  }
  return visit(root, 0)
}
