import type {Setback} from './upload-step.js'
import type {HostCondition} from '../../http/host-gates.js'
import {retryDecision, type RetryPolicy} from '../../http/retry.js'

export interface RetryBudget {
  /** The registry has acknowledged this much: what failed before it is forgiven. */
  reached(offset: number): void
  /** Milliseconds to wait before going on; undefined when it is time to give up. */
  spend(setback: Setback): number | undefined
}

/** A token that runs out at once, twice in a row, is no token. */
const EXPIRED_IN_A_ROW = 2
/** Halving a body from gigabytes down to the floor, and each other way of sending once. */
const ADAPTATIONS = 20

/**
 * How often one upload may fail: `policy.retries` times without getting any further, so that a large blob on a bad link
 * arrives as long as each attempt adds to it. While the host is gone, time counts and not attempts.
 */
export function retryBudget(
  policy: RetryPolicy,
  {condition}: {readonly condition: () => HostCondition},
): RetryBudget {
  const spent = {busy: 0, expired: 0, gone: 0, refused: 0, adapt: 0}
  let best = 0
  let outage: number | undefined
  let limited = 0
  return {
    reached: (offset) => {
      if (offset <= best) return
      best = offset
      Object.assign(spent, {busy: 0, expired: 0, gone: 0})
    },
    spend: ({why, status, error, retryAfter, now = new Date()}) => {
      spent[why] += 1
      const attempt = spent.busy + spent.gone
      if (why === 'busy') {
        const host = condition()
        const failure = {attempt, status, error, retryAfter, now, random: Math.random()}
        const decision = retryDecision({...failure, host, outage, limited}, policy)
        outage = host.outage?.since
        if (decision?.counts === false) spent.busy -= 1
        if (decision?.limited === true) limited += 1
        return decision?.wait
      }
      // What failed the old way says nothing of the new one.
      if (why === 'adapt') Object.assign(spent, {busy: 0, gone: 0})
      const allowed = {
        adapt: spent.adapt <= ADAPTATIONS,
        expired: spent.expired <= EXPIRED_IN_A_ROW,
        refused: spent.refused <= Math.min(1, policy.retries),
        gone: attempt <= policy.retries,
      }
      return allowed[why] ? 0 : undefined
    },
  }
}
