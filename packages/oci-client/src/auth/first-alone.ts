import type {Held} from './held-credentials.js'
import {orAborted} from './or-aborted.js'

/**
 * Runs work that uses a credential. Until the credential is known to be right, only one piece of work tries it: thirty
 * parallel requests with one wrong password would lock an account out.
 * The work sets `held.standing`.
 * @returns undefined if it waited for another trial instead; the caller must look again at the held credential
 */
export type FirstAlone = <Result>(
  held: Held,
  work: () => Promise<Result>,
  options: {readonly signal?: AbortSignal},
) => Promise<Result | undefined>

export function firstAlone(): FirstAlone {
  const trials = new WeakMap<Held, Promise<unknown>>()
  return async (held, work, {signal}) => {
    if (held.credential === undefined || held.standing !== 'untried') return await work()
    const running = trials.get(held)
    if (running !== undefined) {
      await settledOrAborted(running, signal)
      return undefined
    }
    const trial = work()
    trials.set(held, trial)
    try {
      return await trial
    } finally {
      trials.delete(held)
    }
  }
}

/** Waits until the work ends. Its failure is left to the caller that started it. */
async function settledOrAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  await orAborted(
    work.catch(() => {}),
    signal,
  )
}
