import {algorithmOf, hexOf, type Digest} from '../model/index.js'

/** What cosign keeps beside an image whose registry knows no referrers: signatures, attestations, SBOMs. */
const SUFFIXES = ['sig', 'att', 'sbom'] as const

/** The tags that cosign keeps things under which speak of a digest: `sha256-<hex>.sig` and so on. */
export function cosignTags(subject: Digest): readonly string[] {
  return SUFFIXES.map((suffix) => `${algorithmOf(subject)}-${hexOf(subject)}.${suffix}`)
}

/** Whether a tag may speak of a digest at all. */
export function isDigestTag(tag: string): boolean {
  return /^sha(?:256|512)-[0-9a-f]{64}/.test(tag)
}
