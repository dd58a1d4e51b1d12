import type {PreparedDestination} from '../mirror.js'
import type {Plan} from '../plan.js'
import type {SyncPair} from './family-pairs.js'

/** The plan for one target, and the pair that belongs to each image. */
export interface TargetPlan {
  readonly plan: Plan
  /** One for each image of the plan, in its order. */
  readonly pairs: readonly SyncPair[]
}

/** @param asked the pairs that were given to the destination */
export function targetPlan({plan, pairs}: PreparedDestination, asked: readonly SyncPair[]): TargetPlan {
  return {
    plan,
    pairs: asked.map((one, index) => ({...one, pair: pairs[index] ?? one.pair})),
  }
}
