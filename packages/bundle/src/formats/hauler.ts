import {
  cosignTag,
  formatReference,
  type CosignSuffix,
  type Descriptor,
  type Digest,
  type Reference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {annotationKeys, type RecordedName} from '../names/recorded-name.js'

/** hauler's `kind` → the suffix of cosign's tag. The part before the slash differs between its versions. */
const COSIGN_SUFFIX: ReadonlyMap<string, CosignSuffix> = new Map([
  ['sigs', 'sig'],
  ['atts', 'att'],
  ['sboms', 'sbom'],
])

interface NamedRoot {
  readonly descriptor: Descriptor
  readonly recorded: RecordedName
}

/** Returns the digest of the image of each name, ignoring its signatures. An index wins over a manifest. */
export function imageDigestsByName(named: readonly NamedRoot[]): ReadonlyMap<string, Digest> {
  const digests = new Map<string, Digest>()
  for (const {descriptor, recorded} of named) {
    const kind = kindOf(descriptor)
    if (recorded.name === undefined || COSIGN_SUFFIX.has(kind) || kind === 'referrers') continue
    const name = formatReference(recorded.name)
    if (!digests.has(name) || kind === 'imageIndex') digests.set(name, descriptor.digest)
  }
  return digests
}

/**
 * Returns the image of a cosign artifact, named by a tag or digest, or a nameless referrer; undefined for anything else.
 * Hauler stores the artifact under the name of its image. A registry knows it by a tag made of the image's digest, or by
 * its subject.
 */
export function haulerImage(
  descriptor: Descriptor,
  options: {readonly name: Reference; readonly imageDigests: ReadonlyMap<string, Digest>},
): SourceImage | undefined {
  const kind = kindOf(descriptor)
  const suffix = COSIGN_SUFFIX.get(kind)
  if (suffix === undefined && kind !== 'referrers') return undefined
  const {registry, repository} = options.name
  const root = {manifest: descriptor}
  const subject = options.name.digest ?? options.imageDigests.get(formatReference(options.name))
  if (suffix === undefined) return {root, subject}
  // Without its image there is no tag, so the artifact is kept by digest.
  if (subject === undefined) return {name: {registry, repository, digest: descriptor.digest}, root}
  return {name: {registry, repository, tag: cosignTag(subject, suffix)}, root}
}

// `dev.hauler/sigs` → `sigs`, `dev.hauler/referrers/<hex>` → `referrers`
function kindOf({annotations}: Descriptor): string {
  return annotations?.[annotationKeys.haulerKind]?.split('/')[1] ?? ''
}
