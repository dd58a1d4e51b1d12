import {hexOf, type Digest} from '@airgap-mirror/oci-client/model'
import type {KnownTag, KnownTags} from '../known-tags.js'

/** Who wants what at one registry. */
export interface Claims {
  /** Whose tags are looked at. */
  readonly owner: string
  /** The keys that this owner wants. */
  readonly own: ReadonlySet<string>
  /** The keys that anybody in this run wants. */
  readonly wanted: ReadonlySet<string>
}

/** The keys of what the owner made and nobody wants any more. */
export const unwantedKeys = (tags: KnownTags, claims: Claims): readonly string[] => {
  const isKept = keeping(tags, claims)
  return tags.keys().filter((key) => {
    const tag = tags.get(key)
    if (tag === undefined || isKept(key, tag)) return false
    return isCompanion(tag) || tag.owners.includes(claims.owner)
  })
}

/**
 * The owner lets go of what it no longer wants and others do; signatures are handed on to a tag that is still wanted. What
 * nobody wants and has no name that could be taken away is forgotten.
 */
export const disown = (tags: KnownTags, claims: Claims): void => {
  const {owner, own, wanted} = claims
  const unwanted = new Set(unwantedKeys(tags, claims))
  const heirs = new Map<string, string>()
  for (const key of tags.keys()) {
    const digest = tags.get(key)?.digest
    if (digest !== undefined && !unwanted.has(key) && !isCompanion(tags.get(key)))
      heirs.set(placeOf(key, digest), key)
  }
  for (const key of tags.keys()) {
    const tag = tags.get(key)
    if (tag === undefined || own.has(key)) continue
    if (unwanted.has(key)) {
      if (tag.digest === undefined || nameIn(key)?.tag === undefined) tags.delete(key)
    } else if (isCompanion(tag)) {
      const of = tags.get(tag.with ?? '')?.digest
      const heir = of === undefined ? undefined : heirs.get(placeOf(key, of))
      if (heir !== undefined && unwanted.has(tag.with ?? '')) tags.set(key, {...tag, with: heir})
    } else if (tag.owners.length > 1 || wanted.has(key)) {
      const owners = tag.owners.filter((other) => other !== owner)
      if (owners.length > 0) tags.set(key, {...tag, owners})
    }
  }
}

/** Splits `repository:tag` and `repository@digest`. */
export const nameIn = (key: string): {readonly repository: string; readonly tag?: string} | undefined => {
  const at = key.indexOf('@')
  if (at >= 0) return {repository: key.slice(0, at)}
  const colon = key.lastIndexOf(':')
  return colon < 0 ? undefined : {repository: key.slice(0, colon), tag: key.slice(colon + 1)}
}

/** Something that came along with an image. */
const isCompanion = (tag: KnownTag | undefined): boolean => tag?.with !== undefined

const placeOf = (key: string, digest: Digest): string => `${nameIn(key)?.repository ?? ''} ${digest}`

/** A signature is kept as long as any tag of its image is, whichever it first came along with. */
const keeping = (tags: KnownTags, {owner, wanted}: Claims): ((key: string, tag: KnownTag) => boolean) => {
  const isClaimed = (key: string, tag: KnownTag): boolean =>
    wanted.has(key) || tag.owners.some((other) => other !== owner)
  const kept = new Set<string>()
  for (const key of tags.keys()) {
    const tag = tags.get(key)
    if (tag === undefined || isCompanion(tag) || !isClaimed(key, tag)) continue
    for (const digest of [tag.digest, tag.sourceDigest, ...(tag.intended ?? [])])
      if (digest !== undefined) kept.add(placeOf(key, digest)).add(signaturePlace(key, digest))
  }
  return (key, tag) => {
    if (tag.with === undefined) return isClaimed(key, tag)
    const of = tags.get(tag.with)
    return (
      wanted.has(key) ||
      wanted.has(tag.with) ||
      kept.has(key.replace(/\.[a-z]+$/, '')) ||
      (of?.digest !== undefined && kept.has(placeOf(key, of.digest)))
    )
  }
}

/** The start of the tags that cosign gives to what belongs to a digest. */
const signaturePlace = (key: string, digest: Digest): string =>
  `${nameIn(key)?.repository ?? ''}:sha256-${hexOf(digest)}`
