import {
  MirrorError,
  type Digest,
  type ImageSink,
  type ImageSource,
  type Manifest,
  type PendingImage,
  type Platform,
} from '@airgap-mirror/oci-client/model'
import {nameCandidates, type Candidate} from './candidates.js'
import type {OnEvent} from './events.js'
import {execute} from './execute.js'
import {gather} from './gather.js'
import {withKnownLayers, type KnownLayers} from './known-layers.js'
import type {NamingRules} from '../names/naming.js'
import {planMirror} from './plan.js'
import {probeTarget} from './probe.js'
import {probeBlobs} from './probe-blobs.js'
import {selectImages, type Choice} from './select.js'
import type {SparsePolicy} from './sparse.js'
import type {Stop} from './stop.js'
import {Tally, type PushResult} from './tally.js'

export interface PushOptions {
  readonly source: ImageSource
  readonly sink: ImageSink
  readonly rules: NamingRules
  readonly choice: Choice
  /** Empty: all. */
  readonly platforms: readonly Platform[]
  readonly sparse: SparsePolicy
  readonly concurrency: number
  readonly failFast: boolean
  /** Plan and ask, but send nothing. */
  readonly dryRun: boolean
  /** Absent: every plain layer is compressed anew unless the registry tells what it became. */
  readonly layers?: KnownLayers | undefined
  readonly onEvent: OnEvent
  /** Called when the plan stands, before the first byte is sent. */
  readonly onStart?: () => void
  readonly stop: Stop
}

/**
 * Every chosen image of a source into a registry. What happens to one image is in its report entry.
 * @throws {MirrorError} for what concerns the run as a whole: a bad source, names that collide, a registry out of reach
 */
export async function push(options: PushOptions): Promise<PushResult> {
  const {source, sink, onEvent, stop} = options
  const {now: signal} = stop
  const gathered = await gather(source, {signal})
  if (gathered.length === 0)
    throw new MirrorError('SOURCE_EMPTY', 'the bundle holds no image', {side: 'source'})
  const chosen = selectImages(gathered, options.choice)
  const candidates = await nameCandidates(chosen, {...options, source, signal})
  const {registry} = options.rules
  const absentChildren = options.sparse !== 'auto' && options.sparse !== 'as-is'
  const atOnce = 2 * options.concurrency
  const probed = await probeTarget(candidates, {
    source,
    sink,
    registry,
    absentChildren,
    concurrency: atOnce,
    signal,
  })
  const {layers} = options
  const state = layers === undefined ? probed : await withKnownLayers(probed, {candidates, layers})
  const manifests = new Map<Digest, Manifest>()
  const plan = planMirror({candidates, source, state, sparse: options.sparse, manifests})
  const tally = new Tally(plan, {candidates, source, onEvent, interrupted: stop.soon})
  if (options.dryRun) {
    const absent = await probeBlobs(plan, {sink, concurrency: atOnce, signal})
    return tally.planned(absent)
  }
  options.onStart?.()
  tally.begin()
  await execute(plan, {
    ...options,
    sinks: [sink],
    manifests,
    pending: (image) => pendingAt(candidates, image),
    onSettled: tally.settled,
  })
  return tally.finished()
}

function pendingAt(candidates: readonly Candidate[], image: number): PendingImage | undefined {
  const content = candidates[image]?.content
  return content !== undefined && 'pending' in content ? content.pending : undefined
}
