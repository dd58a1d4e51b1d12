import {attachedTo, referrersTag, type Digest} from '@airgap-mirror/oci-client/model'
import type {KnownTag, KnownTags} from '../known-tags.js'

/** The keys wanted at one registry, and the owner whose tags are checked. */
export interface Claims {
  /** The owner whose tags are checked. */
  readonly owner: string
  /** The keys that this owner wants. */
  readonly own: ReadonlySet<string>
  /** The keys that any job of this run wants. */
  readonly wanted: ReadonlySet<string>
}

/** Owner of tags that are no longer wanted but could not be deleted. Any later prune may delete them. No job has this name. */
export const NOBODY = ''

/** Returns the keys that the owner made and no job wants any more. */
export function unwantedKeys(tags: KnownTags, claims: Claims): readonly string[] {
  return unwantedIn(tags, {...claims, kept: keptIn(tags, claims)})
}

/**
 * Takes the owner off keys that only others want, and hands signatures on to a tag that is still wanted. Forgets unwanted
 * keys that cannot be deleted by name. Other unwanted keys stay the owner's, to be deleted.
 */
export function disown(tags: KnownTags, claims: Claims): void {
  const {owner, own} = claims
  const kept = keptIn(tags, claims)
  const unwanted = new Set(unwantedIn(tags, {...claims, kept}))
  const isAlive = (parent: string): boolean => tags.get(parent) !== undefined && !unwanted.has(parent)
  const changes = tags.keys().map((key) => ({key, tag: tags.get(key)}))
  const after = changes.map(({key, tag}): KnownTag | undefined => {
    if (tag === undefined) return undefined
    const {with: parents = [], ...rest} = tag
    // A signature that could not be removed is looked for again, though its image is forgotten then.
    if (unwanted.has(key))
      return isRemovable(key, tag) ? {...tag, owners: including(tag.owners, owner)} : undefined
    if (!tag.owners.includes(owner) && !parents.some((parent) => unwanted.has(parent))) return tag
    const owners = own.has(key) ? tag.owners : tag.owners.filter((other) => other !== owner)
    const alive = parents.filter(isAlive)
    const heir = parents.length > 0 && alive.length === 0 ? heirOf(key, {tags, kept}) : undefined
    const left = heir === undefined ? alive : [heir]
    const isLeftAlone = owners.length === 0 && left.length === 0
    return {
      ...rest,
      owners: isLeftAlone ? [owner] : owners,
      with: left.length === 0 ? undefined : left,
    }
  })
  for (const [index, {key}] of changes.entries()) {
    const tag = after[index]
    if (tag === undefined) tags.delete(key)
    else tags.set(key, tag)
  }
}

/** Splits `repository:tag` and `repository@digest`. */
export function nameIn(key: string): {readonly repository: string; readonly tag?: string} | undefined {
  const at = key.indexOf('@')
  if (at >= 0) return {repository: key.slice(0, at)}
  const colon = key.lastIndexOf(':')
  return colon < 0 ? undefined : {repository: key.slice(0, colon), tag: key.slice(colon + 1)}
}

/** The digests a tag may have without drift, including those that an interrupted run may have put. */
export function digestsOf({digest, intended = []}: KnownTag): readonly Digest[] {
  return [...(digest === undefined ? [] : [digest]), ...intended]
}

interface Kept {
  readonly keys: ReadonlySet<string>
  /** Digests and referrers that the keys need, each with the key that needs it. */
  readonly places: ReadonlyMap<string, string>
}

/**
 * Returns the keys that are wanted by name or as referrers of a kept image. A signature is kept as long as any tag of its
 * image is, even if another tag first brought it along.
 */
function keptIn(tags: KnownTags, {owner, wanted}: Claims): Kept {
  const keys = new Set<string>()
  const places = new Map<string, string>()
  const need = (key: string, digest: Digest): void => {
    for (const place of [placeOf(key, digest), attachedPlace(key, digest)])
      if (!places.has(place)) places.set(place, key)
  }
  const isNeeded = (key: string, tag: KnownTag): boolean =>
    wanted.has(key) ||
    tag.owners.some((other) => other !== owner && other !== NOBODY) ||
    places.has(subjectPlace(key)) ||
    (tag.with ?? []).some((parent) => keys.has(parent) || wanted.has(parent) || hasTwin(parent))
  /** Its image has another tag that stays. */
  const hasTwin = (parent: string): boolean => {
    const image = tags.get(parent)
    return image !== undefined && allDigests(image).some((digest) => places.has(placeOf(parent, digest)))
  }
  for (const key of wanted) {
    const digest = /@(.+)$/.exec(key)?.[1]
    if (digest !== undefined) need(key, digest as Digest)
  }
  // A kept key can be the reason to keep another, so repeat until nothing changes.
  for (let before = -1; before < keys.size;) {
    before = keys.size
    for (const key of tags.keys()) {
      const tag = tags.get(key)
      if (tag === undefined || keys.has(key) || !isNeeded(key, tag)) continue
      keys.add(key)
      for (const digest of allDigests(tag)) need(key, digest)
    }
  }
  return {keys, places}
}

function unwantedIn(
  tags: KnownTags,
  {owner, kept}: Pick<Claims, 'owner'> & {readonly kept: Kept},
): readonly string[] {
  const isOwn = (tag: KnownTag | undefined): boolean =>
    tag?.owners.some((one) => one === owner || one === NOBODY) === true
  return tags.keys().filter((key) => {
    const tag = tags.get(key)
    if (tag === undefined || kept.keys.has(key)) return false
    return isOwn(tag) || (tag.with ?? []).some((parent) => isOwn(tags.get(parent)))
  })
}

/** Another tag of a signature's image, once all tags are gone that the signature came along with. */
function heirOf(
  key: string,
  {tags, kept}: {readonly tags: KnownTags; readonly kept: Kept},
): string | undefined {
  const subjects = (tags.get(key)?.with ?? []).flatMap((parent) => {
    const image = tags.get(parent)
    return image === undefined ? [] : allDigests(image).map((digest) => placeOf(parent, digest))
  })
  return [subjectPlace(key), ...subjects]
    .map((place) => kept.places.get(place))
    .find((heir) => heir !== undefined && heir !== key && (tags.get(heir)?.owners.length ?? 0) > 0)
}

function isRemovable(key: string, tag: KnownTag): boolean {
  return nameIn(key)?.tag !== undefined && digestsOf(tag).length > 0
}

function including(owners: readonly string[], owner: string): readonly string[] {
  return owners.includes(owner) ? owners : [...owners, owner]
}

function allDigests(tag: KnownTag): readonly Digest[] {
  return [...digestsOf(tag), tag.sourceDigest]
}

function placeOf(key: string, digest: Digest): string {
  return `${nameIn(key)?.repository ?? ''} ${digest}`
}

/** Names the tags that cosign and the referrers tag schema attach to a digest in a repository. */
function attachedPlace(key: string, digest: Digest): string {
  return `${nameIn(key)?.repository ?? ''}:${referrersTag(digest)}`
}

/** The `attachedPlace` of the digest that a tag is attached to; for a tag of an image, the place of nothing. */
function subjectPlace(key: string): string {
  const {repository = '', tag = ''} = nameIn(key) ?? {}
  return `${repository}:${attachedTo(tag) ?? ''}`
}
