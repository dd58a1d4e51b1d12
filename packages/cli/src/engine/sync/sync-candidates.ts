import {
  formatPlatform,
  formatReference,
  MirrorError,
  type CallOptions,
  type ImageSource,
  type Platform,
  type Reference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {nameCandidates, type Candidate} from '../candidates.js'
import {mapName} from '../../names/naming.js'
import {rootDigest, type Gathered} from '../gather.js'
import type {Family} from './families.js'
import {tagKey, type SyncTarget} from './sync-target.js'

const PLATFORMS_SHOWN = 20

/** A candidate, and what of the target's tags it is. */
export interface SyncCandidate {
  readonly candidate: Candidate
  /** Absent for what goes by digest. */
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
 * What goes to one target. Signatures that cosign keeps under tags go into the repository that their image goes to, whatever
 * the rules make of names.
 */
export async function familyCandidates(
  families: readonly Family[],
  {target, platforms, ...options}: FamilyOptions,
): Promise<readonly SyncCandidate[]> {
  const all = families.flatMap(({image, referrers}) => [
    image,
    ...referrers.filter(({image: {subject}}) => subject !== undefined),
  ])
  const named = await nameCandidates(distinct(all), {
    ...options,
    platforms,
    rules: target.rules,
    mayBeNone: true,
  })
  const owners = new Map(named.map((candidate) => [candidate.source, candidate]))
  const leftOut = platforms.length === 0 ? [] : families.filter(({name}) => !owners.has(name))
  const names = new Set(families.map(({image: {image}}) => labelOf(image)))
  const found = named.map((candidate): SyncCandidate => {
    const {source, target: place} = candidate
    return place !== undefined && names.has(source) ? {candidate, key: tagKey(place)} : {candidate}
  })
  // Named in a list, it is missed by somebody: a choice of platforms must not make it vanish.
  for (const {name, image} of leftOut) {
    const digest = rootDigest(image)
    const place = mapName({...image.image, ...(digest === undefined ? {} : {digest})}, target.rules)
    const candidate = {source: name, target: place, content: {error: notForPlatforms(image, platforms)}}
    found.push({candidate, key: tagKey(place)})
  }
  const companions = new Map<string, SyncCandidate & {with: string[]}>()
  for (const {image, referrers} of families) {
    const {name} = image.image
    const owner = name === undefined ? undefined : owners.get(formatReference(name))
    if (owner?.target === undefined) continue
    for (const referrer of referrers) {
      const tagged = taggedCandidate(referrer, owner.target)
      if (tagged?.target === undefined) continue
      const key = tagKey(tagged.target)
      const known = companions.get(key) ?? {candidate: tagged, key, with: []}
      known.with.push(tagKey(owner.target))
      companions.set(key, known)
    }
  }
  return [...found, ...companions.values()]
}

function notForPlatforms(gathered: Gathered, wanted: readonly Platform[]): MirrorError {
  const children =
    'node' in gathered && gathered.node.manifest.kind === 'index' ? gathered.node.manifest.children : []
  const own = children.flatMap(({platform}) => (platform === undefined ? [] : [formatPlatform(platform)]))
  const has = own.length === 0 ? '' : `: it has ${[...new Set(own)].slice(0, PLATFORMS_SHOWN).join(', ')}`
  return new MirrorError(
    'NOT_FOUND',
    `there is nothing for ${wanted.map(formatPlatform).join(' or ')}${has}`,
    {
      side: 'source',
      advice: {kind: 'choose-other-platform'},
    },
  )
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

function taggedCandidate(gathered: Gathered, {registry, repository}: Reference): Candidate | undefined {
  const {name, subject} = gathered.image
  if (subject !== undefined || name?.tag === undefined) return undefined
  const base = {source: formatReference(name), target: {registry, repository, tag: name.tag}}
  if ('error' in gathered) return {...base, content: {error: gathered.error}}
  return 'node' in gathered ? {...base, content: {node: gathered.node}} : undefined
}
