import type {RegistryClient} from './client.js'
import {retryDecision} from '../http/retry.js'
import {sleep} from '../http/sleep.js'
import {asFinal} from '../http/transport-error.js'
import {cancelled, messageOf} from '../model/index.js'

/** How often one answer may break off without getting any further. What fails before it begins is retried below. */
export interface Patience {
  /**
   * Waits before the next attempt.
   * @param position bytes that have arrived so far
   * @throws the error, where it is time to give up; CANCELLED
   */
  wait(
    position: number,
    failed: {readonly error: unknown; readonly signal: AbortSignal | undefined},
  ): Promise<void>
}

/** A connection that breaks again before it has brought this much has not helped: it counts as a retry. */
const PROGRESS = 256 * 1024

/** @param what is being read, for whoever is told of the wait */
export function patienceWith(client: RegistryClient, what: string): Patience {
  let attempt = 0
  let mark: number | undefined
  return {
    wait: async (position, {error, signal}) => {
      if (signal?.aborted) throw cancelled(signal)
      if (mark === undefined || position - mark >= PROGRESS) {
        mark = position
        attempt = 0
      }
      attempt += 1
      const decision = retryDecision(
        {attempt, error, now: new Date(), random: Math.random(), host: client.condition()},
        client.policy,
      )
      if (decision === undefined) throw asFinal(error)
      if (!decision.counts) attempt -= 1
      client.onRetry({what, wait: decision.wait, reason: messageOf(error)})
      await sleep(decision.wait, signal)
    },
  }
}
