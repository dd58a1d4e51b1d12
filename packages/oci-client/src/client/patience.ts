import type {RegistryClient} from './client.js'
import {retryDecision} from '../http/retry.js'
import {sleep} from '../http/sleep.js'
import {asFinal} from '../http/transport-error.js'
import {cancelled, messageOf} from '../model/index.js'

/** Bounds how often one answer may break off without progress. Failures before an answer begins are retried below. */
export interface Patience {
  /**
   * Waits before the next attempt.
   * @param position bytes that have arrived so far
   * @throws the error, if it is time to give up; CANCELLED
   */
  wait(
    position: number,
    failed: {readonly error: unknown; readonly signal: AbortSignal | undefined},
  ): Promise<void>
}

/** A connection that breaks again before it has brought this many bytes counts as a retry. */
const PROGRESS = 256 * 1024

/** @param what the content that is read, for the notice of a retry */
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
      await sleep(decision.wait, signal, () => `retry ${what}`)
    },
  }
}
