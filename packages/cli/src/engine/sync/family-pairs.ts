import {
  formatReference,
  type CallOptions,
  type ImageSource,
  type Platform,
  type Reference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {notForPlatforms} from '../not-for-platforms.js'
import {byRules} from '../name-of.js'
import {namePairs} from '../name-pairs.js'
import type {Pair} from '../pair.js'
import {rootDigest, type Gathered} from '../gather.js'
import type {Family} from './families.js'
import {tagKey, type SyncTarget} from './sync-target.js'

/** A pair, and its key among the target's tags. */
export interface SyncPair {
  readonly pair: Pair
  /** Absent if the image goes by digest. */
  readonly key?: string
  /** The keys of the images that it comes along with. */
  readonly with?: readonly string[]
}

export interface FamilyOptions extends CallOptions {
  readonly source: ImageSource
  readonly target: SyncTarget
  /** Empty: all. */
  readonly platforms: readonly Platform[]
}

/**
 * Resolves to the pairs for one target. Signatures under tags of cosign go into the repository of their image, and the
 * naming rules do not apply to them.
 */
export async function familyPairs(
  families: readonly Family[],
  {target, platforms, ...options}: FamilyOptions,
): Promise<readonly SyncPair[]> {
  const all = families.flatMap(({image, referrers}) => [
    image,
    ...referrers.filter(({image: {subject}}) => subject !== undefined),
  ])
  const nameOf = byRules(target.rules)
  const named = await namePairs(distinct(all), {
    ...options,
    platforms,
    nameOf,
    mayBeNone: true,
  })
  const owners = new Map(named.map((pair) => [pair.label.source, pair]))
  const leftOut = platforms.length === 0 ? [] : families.filter(({name}) => !owners.has(name))
  const names = new Set(families.map(({image: {image}}) => labelOf(image)))
  const found = named.map((pair): SyncPair => {
    const {label, target} = pair
    return target !== undefined && names.has(label.source) ? {pair, key: tagKey(target)} : {pair}
  })
  // An image that a list names must not vanish because of a choice of platforms.
  for (const {image} of leftOut) {
    const {target, label} = nameOf(image.image, rootDigest(image))
    found.push({
      pair: {target, label, image: {error: notForPlatforms(image, platforms)}},
      key: tagKey(target),
    })
  }
  const companions = new Map<string, SyncPair & {with: string[]}>()
  for (const {image, referrers} of families) {
    const {name} = image.image
    const owner = name === undefined ? undefined : owners.get(formatReference(name))
    if (owner?.target === undefined) continue
    for (const referrer of referrers) {
      const tagged = taggedPair(referrer, owner.target)
      if (tagged === undefined) continue
      const key = tagKey(tagged.target)
      const known = companions.get(key) ?? {pair: tagged, key, with: []}
      known.with.push(tagKey(owner.target))
      companions.set(key, known)
    }
  }
  return [...found, ...companions.values()]
}

function distinct(images: readonly Gathered[]): readonly Gathered[] {
  return [
    ...new Map(
      images.map((gathered) => [`${labelOf(gathered.image)} ${rootDigest(gathered) ?? ''}`, gathered]),
    ).values(),
  ]
}

function labelOf({name, subject}: SourceImage): string {
  return name === undefined ? `of ${subject}` : formatReference(name)
}

function taggedPair(
  gathered: Gathered,
  {registry, repository}: Reference,
): (Pair & {readonly target: Reference}) | undefined {
  const {name, subject} = gathered.image
  if (subject !== undefined || name?.tag === undefined) return undefined
  const target = {registry, repository, tag: name.tag}
  const base = {target, label: {source: formatReference(name), target: formatReference(target)}}
  if ('error' in gathered) return {...base, image: {error: gathered.error}}
  return 'node' in gathered ? {...base, image: {node: gathered.node}} : undefined
}
