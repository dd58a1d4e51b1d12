import {
  attachedTo,
  isDigest,
  referrersTag,
  type Descriptor,
  type Digest,
  type ImageManifest,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {nodesOf, type Gathered, type ImageNode} from '../../engine/gather.js'
import {statementsIn} from './classify-referrer.js'
import {attestationsIn} from './image-contents.js'
import type {InspectedReferrer, ReferrerCounts} from './inspection.js'

/** Returns true for a nameless referrer, and for what a tag of cosign or of the referrers tag schema attaches. */
export function isReferrer({subject, name}: SourceImage): boolean {
  return subject !== undefined || attachedTo(name?.tag ?? '') !== undefined
}

/** The referrers of a bundle, by the digests they are about. */
export interface Referrers {
  /** Those of an image and of its platforms, and the referrers of those. */
  of(root: ImageNode): readonly InspectedReferrer[]
  /** Those that `of` has never returned. */
  rest(): readonly InspectedReferrer[]
}

/** Sorts the referrers among gathered images by their subjects. One that cannot be read is left out: it is an image's error. */
export function referrersAmong(
  gathered: readonly Gathered[],
  {leftOut}: {readonly leftOut: readonly Descriptor[]},
): Referrers {
  const elsewhere = new Set(leftOut.map(({digest}) => digest))
  const about = new Map<string, InspectedReferrer[]>()
  for (const one of gathered) {
    if (!isReferrer(one.image) || !('node' in one)) continue
    const {name, subject, attachedAs} = one.image
    const tag = attachedAs ?? name?.tag ?? ''
    const key = subject ?? attachedTo(tag) ?? ''
    const found = statementsBelow(one.node, {tag, subject, elsewhere})
    about.set(key, [...(about.get(key) ?? []), ...found])
  }
  const used = new Set<InspectedReferrer>()
  return {
    of: (root) => {
      const inside = attestationsIn(root).flatMap((inner) => insideIndex(inner, elsewhere))
      const found = new Set<InspectedReferrer>()
      const digests: Digest[] = nodesOf(root).map(({manifest}) => manifest.descriptor.digest)
      const seen = new Set<Digest>(digests)
      for (const digest of digests) {
        for (const referrer of [...(about.get(digest) ?? []), ...(about.get(referrersTag(digest)) ?? [])]) {
          used.add(referrer)
          found.add(referrer.subject === undefined ? {...referrer, subject: digest} : referrer)
          if (seen.has(referrer.digest)) continue
          seen.add(referrer.digest)
          digests.push(referrer.digest)
        }
      }
      return [...inside, ...found]
    },
    rest: () => [...about.values()].flat().filter((referrer) => !used.has(referrer)),
  }
}

/** Counts referrers by their kinds. */
export function countReferrers(referrers: readonly InspectedReferrer[]): ReferrerCounts {
  const counts = {signature: 0, attestation: 0, sbom: 0, other: 0}
  for (const {kind} of referrers) counts[kind] += 1
  return counts
}

function insideIndex(
  {node, subject}: ReturnType<typeof attestationsIn>[number],
  elsewhere: ReadonlySet<Digest>,
): readonly InspectedReferrer[] {
  const about = isDigest(subject) ? subject : undefined
  const found = statementsBelow(node, {tag: undefined, subject: about, elsewhere})
  // A manifest without a statement type is an attestation by its place in the index.
  return found.flatMap((one) => (one.kind === 'other' ? [{...one, kind: 'attestation' as const}] : [one]))
}

function statementsBelow(
  root: ImageNode,
  {
    tag,
    subject,
    elsewhere,
  }: {
    readonly tag: string | undefined
    readonly subject: Digest | undefined
    /** Content that a delta bundle leaves to the registry. */
    readonly elsewhere: ReadonlySet<Digest>
  },
): readonly InspectedReferrer[] {
  return imagesIn(root).flatMap(({manifest, bytes, lacking}) => {
    const {digest} = manifest.descriptor
    const incomplete = lacking.some((blob) => !elsewhere.has(blob)) || undefined
    const about = {digest, subject, bytes, incomplete}
    return statementsIn(manifest, tag).map((statement) => Object.assign({}, statement, about))
  })
}

/** The images of a referrer: the tag schema has an index of them. */
function imagesIn(root: ImageNode): readonly {
  readonly manifest: ImageManifest
  readonly bytes: number
  readonly lacking: readonly Digest[]
}[] {
  return nodesOf(root).flatMap(({manifest, missing}) => {
    if (manifest.kind === 'index') return []
    const lacking = new Set(missing.map(({digest}) => digest))
    const blobs = [manifest.config, ...manifest.layers].filter(({digest}) => !lacking.has(digest))
    const bytes = blobs.reduce((sum, {size}) => sum + size, manifest.descriptor.size)
    return [{manifest, bytes, lacking: [...lacking]}]
  })
}
