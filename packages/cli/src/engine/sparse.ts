import {
  formatPlatform,
  isBlobType,
  MirrorError,
  parseJsonObject,
  parseManifest,
  type Descriptor,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import {isAttestation} from '../names/platforms.js'

/** The treatment of a sparse index: an index whose children are not all in the bundle. */
export type SparsePolicy = 'auto' | 'strict' | 'prune' | 'platform' | 'as-is'

/** The manifest that takes a sparse index's tag at the target, and the reason. */
export interface Substitute {
  readonly manifest: Manifest
  readonly reason: string
}

/**
 * The substitute for a sparse index that a registry does not take as it is, or that the policy replaces: its one child, or
 * an index of the children that are there.
 * @param complete the children that the target will have
 * @throws {MirrorError} INDEX_SPARSE if there is none at all, or if there are several under `platform`
 */
export function substituteFor(
  index: Manifest,
  complete: readonly Manifest[],
  policy: 'auto' | 'prune' | 'platform',
): Substitute {
  const images = policy === 'platform' ? withoutAttestations(index, complete) : complete
  const [only] = images
  if (only === undefined) {
    throw new MirrorError(
      'INDEX_SPARSE',
      `no platform of the index ${index.descriptor.digest} is in the source`,
      {side: 'source'},
    )
  }
  if (policy !== 'prune' && images.length === 1) {
    return {manifest: only, reason: `sparse index: the tag names its one ${platformOf(index, only)} manifest`}
  }
  if (policy === 'platform') {
    throw new MirrorError(
      'INDEX_SPARSE',
      `${images.length} platforms of the index ${index.descriptor.digest} are in the source, not one`,
      {
        side: 'source',
        advice: {kind: 'choose-platform'},
      },
    )
  }
  return {
    manifest: pruned(index, complete),
    reason: `sparse index: cut down to the ${complete.length} of its manifests that are there`,
  }
}

/** The error of `strict`: names the missing children of an index. */
export function sparseError(lacking: readonly Descriptor[]): MirrorError {
  const lines = lacking.map(
    ({platform, mediaType, digest}) =>
      `${platform === undefined ? mediaType : formatPlatform(platform)} ${digest}`,
  )
  return new MirrorError(
    'INDEX_SPARSE',
    [`the source lacks ${lacking.length} children of the index`, ...lines].join('; '),
    {
      side: 'source',
      advice: {kind: 'allow-sparse-index'},
    },
  )
}

function platformOf(index: Manifest, child: Manifest): string {
  const children = index.kind === 'index' ? index.children : []
  const descriptor = children.find(({digest}) => digest === child.descriptor.digest)
  return descriptor?.platform === undefined ? 'complete' : formatPlatform(descriptor.platform)
}

function withoutAttestations(index: Manifest, complete: readonly Manifest[]): readonly Manifest[] {
  if (index.kind !== 'index') return complete
  const attestations = new Set(index.children.filter(isAttestation).map(({digest}) => digest))
  return complete.filter(({descriptor}) => !attestations.has(descriptor.digest))
}

/** The index with only these children and its blobs, every other field as it is; the same bytes for the same children. */
function pruned(index: Manifest, complete: readonly Manifest[]): Manifest {
  const kept = new Set<string>(complete.map(({descriptor}) => descriptor.digest))
  const json = parseJsonObject(index.bytes, 'index')
  const manifests = (json['manifests'] as readonly {digest: string; mediaType?: string}[]).filter(
    ({digest, mediaType = ''}) => kept.has(digest) || isBlobType(mediaType),
  )
  const bytes = Buffer.from(JSON.stringify({...json, manifests}))
  return parseManifest(bytes, {mediaType: index.descriptor.mediaType})
}
