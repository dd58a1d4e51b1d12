import type {CallOptions, Digest, Manifest, Platform} from '@airgap-mirror/oci-client/model'
import {formatReference} from '@airgap-mirror/oci-client/model'
import {planMirror, type Plan} from '../plan.js'
import {probeBlobs} from '../probe-blobs.js'
import {probeTarget} from '../probe.js'
import type {SparsePolicy} from '../sparse.js'
import {isOpen, type Family} from './families.js'
import {rememberingSink} from './remembering-sink.js'
import {familyCandidates, type SyncCandidate} from './sync-candidates.js'
import type {SyncSource, SyncTarget} from './sync-target.js'

export interface PlanTargetOptions extends CallOptions {
  readonly source: SyncSource
  readonly families: readonly Family[]
  /** The target's place among the targets. */
  readonly at: number
  /** Empty: all. */
  readonly platforms: readonly Platform[]
  readonly sparse: SparsePolicy
  readonly concurrency: number
  readonly dryRun: boolean
}

/** What is to be done at one target. */
export interface TargetPlan {
  readonly plan: Plan
  /** One for each image of the plan, in its order. */
  readonly candidates: readonly SyncCandidate[]
  readonly manifests: ReadonlyMap<Digest, Manifest>
  /** Of a dry run: the blobs that would have to be sent. */
  readonly absent: ReadonlySet<number>
}

export const planTarget = async (target: SyncTarget, options: PlanTargetOptions): Promise<TargetPlan> => {
  const {source, families, at, platforms, sparse, signal} = options
  const atOnce = 2 * options.concurrency
  const own = families.filter((family) =>
    family.at.some((standing, index) => index === at && isOpen(standing)),
  )
  const known = new Map(
    own.flatMap((family) => {
      const standing = family.at[at]
      return standing === undefined ? [] : [[formatReference(standing.target), standing.found] as const]
    }),
  )
  const found = await familyCandidates(own, {source, target, platforms, signal})
  const candidates = found.map(({candidate}) => candidate)
  const state = await probeTarget(candidates, {
    source,
    sink: rememberingSink(target.sink, known),
    registry: target.rules.registry,
    absentChildren: sparse !== 'auto' && sparse !== 'as-is',
    concurrency: atOnce,
    signal,
  })
  const manifests = new Map<Digest, Manifest>()
  const plan = planMirror({candidates, source, state, sparse, manifests})
  const absent = options.dryRun
    ? await probeBlobs(plan, {sink: target.sink, concurrency: atOnce, signal})
    : new Set<number>()
  return {plan, candidates: found, manifests, absent}
}
