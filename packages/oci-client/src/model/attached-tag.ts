import {algorithmOf, hexOf, type Digest} from './digest.js'

/** Suffixes of the tags by which cosign attaches signatures, attestations and SBOMs to an image. */
const SUFFIXES = ['sig', 'att', 'sbom'] as const
export type CosignSuffix = (typeof SUFFIXES)[number]

/** A registry's tag schema cuts the hex of a digest to 64 characters; cosign keeps all of it. */
const ATTACHED = /^(?:(sha256-[0-9a-f]{64})|(sha512-[0-9a-f]{64})(?:[0-9a-f]{64})?)(?:\.(sig|att|sbom))?$/

/** Returns the tag under which cosign attaches something to a digest: `sha256-<hex>.sig`. */
export function cosignTag(subject: Digest, suffix: CosignSuffix): string {
  return `${algorithmOf(subject)}-${hexOf(subject)}.${suffix}`
}

/** Returns all tags under which cosign may have attached something to a digest. */
export function cosignTags(subject: Digest): readonly string[] {
  return SUFFIXES.map((suffix) => cosignTag(subject, suffix))
}

/**
 * Returns the tag of the index that lists a digest's referrers in a registry without the referrers API. It is
 * algorithm, dash, hex, cut to 32 and 64 characters (distribution-spec, Referrers Tag Schema).
 */
export function referrersTag(subject: Digest): string {
  return `${algorithmOf(subject)}-${hexOf(subject).slice(0, 64)}`
}

/**
 * Returns the `referrersTag` of the digest that a tag of cosign or of the referrers tag schema belongs to. Returns
 * undefined for the tag of an image.
 */
export function attachedTo(tag: string): string | undefined {
  const [, sha256, sha512] = ATTACHED.exec(tag) ?? []
  return sha256 ?? sha512
}

/** Returns what a tag of cosign attaches: `sig` for a signature. Undefined for any other tag. */
export function cosignSuffix(tag: string): CosignSuffix | undefined {
  const suffix = ATTACHED.exec(tag)?.[3]
  return SUFFIXES.find((known) => known === suffix)
}
