import type {
  BlobSource,
  CallOptions,
  Digest,
  ImageSink,
  ImageSource,
  Manifest,
  MirrorError,
} from '@airgap-mirror/oci-client/model'
import {formatReference, inSpan} from '@airgap-mirror/oci-client/model'
import type {OnEvent} from './events.js'
import {execute, type ExecuteOptions} from './execute.js'
import {withKnownLayers, type KnownLayers} from './known-layers.js'
import {mergePlans} from './merge-plans.js'
import {notTried} from './not-tried.js'
import type {Pair} from './pair.js'
import {planMirror, type Plan} from './plan.js'
import type {Proof} from './probe-below.js'
import {probeBlobs} from './probe-blobs.js'
import {probeTarget, type TargetState} from './probe.js'
import {rememberingSink, type Known} from './remembering-sink.js'
import type {SparsePolicy} from './sparse.js'
import type {Stop} from './stop.js'
import {Tally, type MirrorResult} from './tally.js'

/** A target with the pairs that go to it. */
export interface Destination {
  readonly sink: ImageSink
  /** `host[:port]`; empty for files. Destinations in one registry mount each other's content. */
  readonly registry: string
  readonly pairs: readonly Pair[]
  /** Absent: nothing. If present, a target that cannot be asked is no failure. */
  readonly known?: Known
  /** Returns an error if the pair must not replace the digest found, or what is hidden by an inconclusive answer. */
  readonly refuse?: (pair: Pair, found: Digest | MirrorError) => MirrorError | undefined
}

export interface PrepareOptions extends CallOptions {
  readonly source: ImageSource
  readonly sparse: SparsePolicy
  /** Absent: the tag and every manifest below it. */
  readonly proof?: Proof
  /** Blobs in flight; twice as many small requests. */
  readonly concurrency: number
  /** Plan and ask, but send nothing. */
  readonly dryRun: boolean
  /** Absent: every plain layer is compressed again unless the registry shows its compressed form. */
  readonly layers?: KnownLayers
}

/** The plan for one destination. */
export interface PreparedDestination {
  readonly sink: ImageSink
  readonly plan: Plan
  /** One for each image of the plan, in its order: those of the destination, some of them refused. */
  readonly pairs: readonly Pair[]
  readonly manifests: ReadonlyMap<Digest, Manifest>
  /** In a dry run: the blob transfers that would have to send. */
  readonly absent: ReadonlySet<number>
}

/** Everything that is to be done: the plan of all destinations as one. */
export interface Prepared {
  readonly plan: Plan
  /** In the order of the destinations. */
  readonly destinations: readonly PreparedDestination[]
}

export interface CarryOutOptions {
  readonly source: ImageSource
  /** As in `PrepareOptions`: blobs that are part of the proof must have their size. */
  readonly proof?: Proof
  readonly concurrency: number
  /** Blobs of up to 1 MiB in flight, in addition to larger ones. Absent: no difference. */
  readonly smallBlobs?: number
  /** Start nothing more after the first failure, and nothing at all if one came before. */
  readonly failFast: boolean
  /** True if an image that is in no destination has failed before. */
  readonly hasFailed?: boolean
  /** Images of the run that are in no destination: images without an event, and images told as failed. */
  readonly before?: {readonly quiet: number; readonly told: number}
  readonly dryRun: boolean
  readonly layers?: KnownLayers
  /** A reading of a blob for several destinations; needed only if there are several. */
  readonly share?: (blob: BlobSource, readers: number) => readonly BlobSource[]
  readonly onEvent: OnEvent
  /** Called before the first byte is sent. */
  readonly onStart?: () => void
  readonly stop: Stop
}

export type MirrorOptions = Omit<PrepareOptions, 'signal'> & CarryOutOptions

/**
 * Brings pairs to their places: probe, plan, execute, tally. The result of each image is in its report entry.
 * @throws {MirrorError} if the run as a whole fails, or CANCELLED before the plan is complete
 */
export async function mirror(
  destinations: readonly Destination[],
  options: MirrorOptions,
): Promise<MirrorResult> {
  return carryOut(await prepare(destinations, {...options, signal: options.stop.soon}), options)
}

/** Asks every destination for its content, and plans. Changes nothing. A pair whose target cannot be asked is planned as failed. */
export async function prepare(
  destinations: readonly Destination[],
  options: PrepareOptions,
): Promise<Prepared> {
  const prepared = await inSpan(
    () => ({kind: 'step', name: 'plan'}),
    () => Promise.all(destinations.map((one) => prepareOne(one, options))),
  )
  const plan = mergePlans(
    prepared.map((one) => one.plan),
    destinations.map(({registry}) => registry),
  )
  return {plan, destinations: prepared}
}

/** Carries out the prepared plan. In a dry run, only reports it. */
export async function carryOut(
  {plan, destinations}: Prepared,
  options: CarryOutOptions,
): Promise<MirrorResult> {
  const {source, stop, onEvent} = options
  const pairs = destinations.flatMap((one) => one.pairs)
  const tally = new Tally(plan, {pairs, source, onEvent, interrupted: stop.soon, before: options.before})
  if (options.dryRun) return tally.planned(absentIn(destinations))
  if (plan.images.length === 0) return tally.finished()
  // A failure during planning counts for --fail-fast, too.
  const isOver =
    options.failFast && (options.hasFailed === true || plan.images.some(({status}) => status === 'failed'))
  options.onStart?.()
  tally.begin()
  const executing: ExecuteOptions = {
    ...options,
    sinks: destinations.map(({sink}) => sink),
    manifests: new Map(destinations.flatMap(({manifests}) => [...manifests])),
    pending: (index) => {
      const image = pairs[index]?.image
      return image !== undefined && 'pending' in image ? image.pending : undefined
    },
    onStarted: tally.started,
    onSettled: tally.settled,
    stop: isOver ? {...stop, soon: AbortSignal.any([stop.soon, AbortSignal.abort(notTried())])} : stop,
  }
  await inSpan(
    () => ({kind: 'step', name: 'transfer'}),
    () => execute(plan, executing),
  )
  return tally.finished()
}

async function prepareOne(destination: Destination, options: PrepareOptions): Promise<PreparedDestination> {
  const {sink, registry, known} = destination
  const {source, sparse, proof = 'manifests', layers, dryRun, signal} = options
  const concurrency = 2 * options.concurrency
  const probed = await probeTarget(destination.pairs, {
    source,
    sink: known === undefined ? sink : rememberingSink(sink, known),
    registry,
    absentChildren: sparse !== 'auto' && sparse !== 'as-is',
    proof,
    concurrency,
    signal,
  })
  const pairs = destination.pairs.map((pair) => unlessRefused(pair, {destination, state: probed}))
  const state = layers === undefined ? probed : await withKnownLayers(probed, {pairs, layers})
  const manifests = new Map<Digest, Manifest>()
  const plan = planMirror({pairs, source, state, sparse, manifests})
  const absent = dryRun ? await probeBlobs(plan, {sink, proof, concurrency, signal}) : new Set<number>()
  return {sink, plan, pairs, manifests, absent}
}

function unlessRefused(
  pair: Pair,
  {destination, state}: {readonly destination: Destination; readonly state: TargetState},
): Pair {
  const failed = state.failed.get(pair)
  if (failed !== undefined) return {...pair, image: {error: failed}}
  const name = pair.target === undefined ? '' : formatReference(pair.target)
  const found = state.present.get(name)?.digest ?? state.unclear.get(name)
  const error = found === undefined ? undefined : destination.refuse?.(pair, found)
  return error === undefined ? pair : {...pair, image: {error}}
}

/** The transfers of a dry run that would have to send, as the merged plan counts them. */
function absentIn(destinations: readonly PreparedDestination[]): ReadonlySet<number> {
  const absent = new Set<number>()
  let first = 0
  for (const one of destinations) {
    for (const id of one.absent) absent.add(first + id)
    first += one.plan.transfers.length
  }
  return absent
}
