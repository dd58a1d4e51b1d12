import type {Setback} from './upload-step.js'
import type {HostCondition} from '../../http/host-gates.js'
import {retryDecision, type RetryPolicy} from '../../http/retry.js'

export interface RetryBudget {
  /** Forgives earlier failures once the registry has acknowledged more bytes than before. */
  reached(offset: number): void
  /** Returns the milliseconds to wait before going on; undefined to give up. */
  spend(setback: Setback): number | undefined
}

/** A token that expires at once, twice in a row, is useless. */
const EXPIRED_IN_A_ROW = 2
/** Enough to halve a body from gigabytes to the minimum, and to try each other way of sending once. */
const ADAPTATIONS = 20

/**
 * Bounds how often one upload may fail: `policy.retries` times without progress. So a large blob arrives on a bad link
 * as long as each attempt adds bytes. During an outage, time counts and not attempts.
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
      // Failures of the old way say nothing about the new way.
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
