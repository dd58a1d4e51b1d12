import pLimit from 'p-limit'
import {
  formatReference,
  isMirrorError,
  type CallOptions,
  type Platform,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import type {OnEvent} from '../events.js'
import {gatherImages, type Gathered} from '../gather.js'
import {childrenFor} from '../../names/platforms.js'
import type {Standing, Surveyed} from './survey.js'
import type {ChosenChildren, SyncSource} from './sync-target.js'

/** An image that may need work, with its referrers. */
export interface Family {
  /** The reference, as text. */
  readonly name: string
  readonly image: Gathered
  readonly referrers: readonly Gathered[]
  /** True if the source has listed the image's referrers. */
  readonly looked: boolean
  /** The state at each target. */
  readonly standings: readonly Standing[]
}

export interface FamiliesOptions extends CallOptions {
  readonly source: SyncSource
  /** True if referrers are wanted. */
  readonly referrers: boolean
  /** Empty: all. Of the others nothing is read. */
  readonly platforms: readonly Platform[]
  readonly onEvent: OnEvent
}

/** Images whose referrers are looked for at once. */
const LOOKS_AT_ONCE = 16

/** Returns true if the target needs a change, or if it is time to ask again for referrers and platforms. */
export function isOpen({verdict, look}: Standing): boolean {
  return verdict.status === 'changed' || look === true
}

/** Reads the manifests of all images that may need work, and of their referrers. */
export async function readFamilies(
  surveyed: readonly Surveyed[],
  options: FamiliesOptions,
): Promise<readonly Family[]> {
  const {source, platforms, signal} = options
  const chosen: ChosenChildren | undefined =
    platforms.length === 0 ? undefined : (children) => childrenFor(children, platforms)
  const atOnce = pLimit(LOOKS_AT_ONCE)
  const open = surveyed.flatMap(({reference, image, standings}) =>
    image !== undefined && standings.some(isOpen)
      ? [{name: formatReference(reference), image, standings}]
      : [],
  )
  const found = await Promise.all(
    open.map((one) =>
      atOnce(async () => ({...one, referrers: await referrersOf(one, {...options, chosen})})),
    ),
  )
  const [images, others] = await Promise.all([
    gatherImages(
      found.map(({image}) => image),
      {source, chosen, signal},
    ),
    gatherImages(
      found.flatMap(({referrers = []}) => referrers),
      {source, signal},
    ),
  ])
  let next = 0
  return found.flatMap(({name, standings, referrers}, index): Family[] => {
    const image = images[index]
    const own = others.slice(next, (next += referrers?.length ?? 0))
    return image === undefined
      ? []
      : [{name, image, referrers: own, looked: referrers !== undefined, standings}]
  })
}

/** Undefined if the source cannot say: the image goes without referrers, and the next run asks again. */
async function referrersOf(
  {name, image}: {readonly name: string; readonly image: SourceImage},
  {
    source,
    referrers,
    chosen,
    onEvent,
    signal,
  }: FamiliesOptions & {readonly chosen: ChosenChildren | undefined},
): Promise<readonly SourceImage[] | undefined> {
  if (!referrers) return []
  try {
    return await source.referrersOf(image, {chosen, signal})
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    onEvent({
      type: 'warning',
      text: `signatures of ${name} may be missing: ${error.message}`,
      about: {name, text: `signatures may be missing: ${error.message}`},
    })
    return undefined
  }
}
