import {
  formatPlatform,
  inSpan,
  MirrorError,
  type BlobSource,
  type Platform,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import type {OnEvent} from '../events.js'
import {carryOut, prepare} from '../mirror.js'
import type {SparsePolicy} from '../sparse.js'
import type {Stop} from '../stop.js'
import type {MirrorResult} from '../tally.js'
import {bytesBelow} from '../gather.js'
import {readFamilies, type Family} from './families.js'
import {destinationOf} from './destination.js'
import {targetPlan, type TargetPlan} from './target-plan.js'
import {survey} from './survey.js'
import {endedBefore, inOrder} from './sync-images.js'
import type {SyncSource, SyncTarget} from './sync-target.js'
import {rememberIntent, rememberPlanned, rememberPresent, type Making} from './tag-memory.js'

export interface SyncOptions {
  readonly source: SyncSource
  /** Each once. */
  readonly references: readonly Reference[]
  readonly targets: readonly SyncTarget[]
  /** Returns true if the content of a reference can never change at the source. */
  readonly isImmutable: (reference: Reference) => boolean
  /** True if referrers are copied as well. */
  readonly referrers: boolean
  /** Empty: all. */
  readonly platforms: readonly Platform[]
  readonly sparse: SparsePolicy
  /** Blobs in flight. */
  readonly concurrency: number
  readonly failFast: boolean
  /** Ask and plan, but change nothing. */
  readonly dryRun: boolean
  /** Overwrite tags that others have changed, and ask for all content below the others. */
  readonly force: boolean
  /** Reads a blob once for several targets. */
  readonly share: (blob: BlobSource, readers: number) => readonly BlobSource[]
  readonly onEvent: OnEvent
  /** Called when the plan stands, before the first byte is sent. */
  readonly onStart?: () => void
  readonly stop: Stop
}

export interface SyncResult extends MirrorResult {
  /** Bytes of the blobs of an image, each once, by its source's name; undefined if its manifests were not read. */
  readonly bytesOf: (source: string) => number | undefined
}

/**
 * Brings targets up to date with their sources. An unchanged image costs one HEAD at each side; the rest is read once for
 * all targets. The result of each image is in its report entry.
 * @throws {MirrorError} if the run as a whole fails: bad names, names that collide
 */
export async function sync(options: SyncOptions): Promise<SyncResult> {
  const {references, targets, onEvent, stop} = options
  const {soon: signal} = stop
  const making: Omit<Making, 'owner'> = {how: howOf(options), now: Date.now()}
  const surveyed = await inSpan(
    () => ({kind: 'step', name: 'survey'}),
    () => survey(references, {...options, ...making, concurrency: 2 * options.concurrency, signal}),
  )
  const families = await inSpan(
    () => ({kind: 'step', name: 'read what has changed'}),
    () => readFamilies(surveyed, {...options, signal}),
  )
  const found = await Promise.all(
    targets.map((target, index) => destinationOf(target, {...options, families, index, signal})),
  )
  const proof = options.force ? 'content' : 'manifests'
  const prepared = await prepare(
    found.map(({destination}) => destination),
    {...options, proof, signal},
  )
  const plans = prepared.destinations.map((one, index) => targetPlan(one, found[index]?.pairs ?? []))
  const before = endedBefore(surveyed)
  const together = (result: MirrorResult): SyncResult => ({
    ...result,
    bytesOf: sizesOf(families, options.source),
    images: inOrder(surveyed, [...before, ...result.images]),
  })
  if (!options.dryRun) {
    for (const {source, target, status, error} of before)
      if (error !== undefined) onEvent({type: 'image', source, target, status, error})
    if (prepared.plan.images.length > 0) await noteIntent(plans, {targets, making})
  }
  const told = before.filter(({error}) => error !== undefined).length
  const result = await carryOut(prepared, {
    ...options,
    proof,
    smallBlobs: 2 * options.concurrency,
    hasFailed: told > 0,
    before: {quiet: before.length - told, told},
  })
  if (options.dryRun) return together(result)
  const looked = new Set(families.filter((family) => family.looked).map(({name}) => name))
  let next = 0
  for (const [index, {tags, owner}] of targets.entries()) {
    const own = plans[index]
    const images = result.images.slice(next, (next += own?.plan.images.length ?? 0))
    if (own === undefined || tags === undefined) continue
    rememberPlanned(tags, own, {...making, owner, images, looked})
    rememberPresent(tags, surveyed, {...making, owner, index, referrers: options.referrers})
    await tags.save()
  }
  return together(result)
}

function sizesOf(families: readonly Family[], source: SyncSource): SyncResult['bytesOf'] {
  const read = new Map(families.map(({name, image}) => [name, image]))
  return (name) => {
    const image = read.get(name)
    return image === undefined || !('node' in image) ? undefined : bytesBelow(image.node, source)
  }
}

async function noteIntent(
  plans: readonly TargetPlan[],
  {targets, making}: {readonly targets: readonly SyncTarget[]; readonly making: Omit<Making, 'owner'>},
): Promise<void> {
  for (const [index, {tags, owner}] of targets.entries()) {
    const own = plans[index]
    if (own === undefined || tags === undefined || own.plan.transfers.length === 0) continue
    rememberIntent(tags, own, {...making, owner})
    if ((await tags.save()) === 'stale') throw cannotRemember()
  }
}

/** Without this record the next run would take the pushed tags for drift. */
function cannotRemember(): MirrorError {
  return new MirrorError(
    'WRITE_FAILED',
    'the intended tags of this run cannot be written into the state directory',
    {
      advice: {kind: 'free-state'},
    },
  )
}

/** With other choices an image may become another one at the target. */
function howOf({platforms, sparse, referrers}: SyncOptions): string {
  return [platforms.map(formatPlatform).join(',') || 'all', sparse, ...(referrers ? ['referrers'] : [])].join(
    ' ',
  )
}
