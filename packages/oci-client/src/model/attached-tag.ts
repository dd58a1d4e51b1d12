import {algorithmOf, hexOf, type Digest} from './digest.js'

/** What cosign attaches to an image by a tag: signatures, attestations, SBOMs. */
const SUFFIXES = ['sig', 'att', 'sbom'] as const
export type CosignSuffix = (typeof SUFFIXES)[number]

/** A registry's tag schema cuts the hex of a digest to 64 characters; cosign keeps all of it. */
const ATTACHED = /^(?:(sha256-[0-9a-f]{64})|(sha512-[0-9a-f]{64})(?:[0-9a-f]{64})?)(?:\.(?:sig|att|sbom))?$/

/** The tag under which cosign attaches something to a digest: `sha256-<hex>.sig`. */
export function cosignTag(subject: Digest, suffix: CosignSuffix): string {
  return `${algorithmOf(subject)}-${hexOf(subject)}.${suffix}`
}

/** All tags under which cosign may have attached something to a digest. */
export function cosignTags(subject: Digest): readonly string[] {
  return SUFFIXES.map((suffix) => cosignTag(subject, suffix))
}

/**
 * The tag of the index that lists a digest's referrers in a registry without the referrers API: algorithm, dash, hex, cut to
 * 32 and 64 characters (distribution-spec, Referrers Tag Schema).
 */
export function referrersTag(subject: Digest): string {
  return `${algorithmOf(subject)}-${hexOf(subject).slice(0, 64)}`
}

/**
 * The `referrersTag` of the digest that a tag belongs to, if it is a tag of cosign or of the referrers tag schema; undefined
 * for the tag of an image.
 */
export function attachedTo(tag: string): string | undefined {
  const [, sha256, sha512] = ATTACHED.exec(tag) ?? []
  return sha256 ?? sha512
}
