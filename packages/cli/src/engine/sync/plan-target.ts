import type {CallOptions, Digest, Manifest, Platform} from '@airgap-mirror/oci-client/model'
import {formatReference} from '@airgap-mirror/oci-client/model'
import {planMirror, type Plan} from '../plan.js'
import {probeBlobs} from '../probe-blobs.js'
import {probeTarget, type TargetState} from '../probe.js'
import type {SparsePolicy} from '../sparse.js'
import {driftAt} from './drift.js'
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
  /** Overwrite tags that others have changed. */
  readonly force: boolean
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

export async function planTarget(target: SyncTarget, options: PlanTargetOptions): Promise<TargetPlan> {
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
  const asked = found.map(({candidate}) => candidate)
  const state = await probeTarget(asked, {
    source,
    sink: rememberingSink(target.sink, known),
    registry: target.rules.registry,
    absentChildren: sparse !== 'auto' && sparse !== 'as-is',
    concurrency: atOnce,
    signal,
  })
  const kept = options.force ? found : found.map((one) => unlessDrifted(one, {target, state}))
  const candidates = kept.map(({candidate}) => candidate)
  const manifests = new Map<Digest, Manifest>()
  const plan = planMirror({candidates, source, state, sparse, manifests})
  const absent = options.dryRun
    ? await probeBlobs(plan, {sink: target.sink, concurrency: atOnce, signal})
    : new Set<number>()
  return {plan, candidates: kept, manifests, absent}
}

/** Images were looked at before; what comes along with them, such as a signature, somebody else may have changed, too. */
function unlessDrifted(
  one: SyncCandidate,
  {target, state}: {readonly target: SyncTarget; readonly state: TargetState},
): SyncCandidate {
  const {candidate, key} = one
  const place = candidate.target
  if (one.with === undefined || key === undefined || place === undefined) return one
  const found = state.present.get(formatReference(place))?.digest
  if (found === undefined || !('node' in candidate.content)) return one
  if (found === candidate.content.node.manifest.descriptor.digest) return one
  const error = driftAt(place, {tag: target.tags?.get(key), found})
  return error === undefined ? one : {...one, candidate: {...candidate, content: {error}}}
}
