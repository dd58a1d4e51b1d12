import {
  formatReference,
  type CallOptions,
  type Descriptor,
  type Digest,
  type MirrorError,
  type Platform,
} from '@airgap-mirror/oci-client/model'
import type {Destination} from '../mirror.js'
import type {Pair} from '../pair.js'
import {driftAt, unclearAt} from './drift.js'
import {isOpen, type Family} from './families.js'
import {familyPairs, type SyncPair} from './family-pairs.js'
import type {SyncSource, SyncTarget} from './sync-target.js'

export interface DestinationOptions extends CallOptions {
  readonly source: SyncSource
  readonly families: readonly Family[]
  /** The target's place among the targets. */
  readonly index: number
  /** Empty: all. */
  readonly platforms: readonly Platform[]
  /** Overwrite tags that others have changed. */
  readonly force: boolean
}

/** A target with everything that is open there. */
export async function destinationOf(
  target: SyncTarget,
  {source, families, index, platforms, force, signal}: DestinationOptions,
): Promise<{readonly destination: Destination; readonly pairs: readonly SyncPair[]}> {
  const own = families.filter((family) =>
    family.standings.some((standing, place) => place === index && isOpen(standing)),
  )
  const answered = new Map(
    own.flatMap((family) => {
      const standing = family.standings[index]
      if (standing === undefined) return []
      return [[formatReference(standing.target), standing.unclear ?? standing.found] as const]
    }),
  )
  const pairs = await familyPairs(own, {source, target, platforms, signal})
  const companions = new Map(pairs.map((one) => [one.pair, one]))
  return {
    destination: {
      sink: target.sink,
      registry: target.rules.registry,
      pairs: pairs.map(({pair}) => pair),
      known: {answered, remembered: new Map(force ? [] : pairs.flatMap((one) => rememberedOf(one, target)))},
      refuse: force ? undefined : (pair, found) => driftOf(companions.get(pair), {target, found}),
    },
    pairs,
  }
}

/** The descriptor of a companion that this program has put there as it is now. */
function rememberedOf({key, pair}: SyncPair, {tags}: SyncTarget): readonly (readonly [string, Descriptor])[] {
  if (key === undefined || pair.target === undefined || !('node' in pair.image)) return []
  const {descriptor} = pair.image.node.manifest
  return tags?.get(key)?.digest === descriptor.digest ? [[formatReference(pair.target), descriptor]] : []
}

/** Checks referrers for drift. Images were checked before, but another user may have changed a signature as well. */
function driftOf(
  one: SyncPair | undefined,
  {target, found}: {readonly target: SyncTarget; readonly found: Digest | MirrorError},
): MirrorError | undefined {
  const pair: Pair | undefined = one?.pair
  if (one?.with === undefined || one.key === undefined || pair?.target === undefined) return undefined
  if (typeof found !== 'string')
    return unclearAt(pair.target, {tag: target.tags?.get(one.key), answer: found})
  if (!('node' in pair.image) || found === pair.image.node.manifest.descriptor.digest) return undefined
  return driftAt(pair.target, {tag: target.tags?.get(one.key), found})
}
