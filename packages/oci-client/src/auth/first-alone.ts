import type {Held} from './held-credentials.js'
import {orAborted} from './or-aborted.js'

/**
 * Runs work that uses a credential. While nobody knows whether the credential is right, one piece of work tries it alone:
 * thirty parallel requests with one wrong password lock an account out. The work sets `held.standing`.
 * @returns undefined where another's trial was waited for instead: look again at what is held
 */
export type FirstAlone = <Result>(
  held: Held,
  work: () => Promise<Result>,
  options: {readonly signal?: AbortSignal | undefined},
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

/** Waits for an end, good or bad, that is somebody else's to handle. */
async function settledOrAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  await orAborted(
    work.catch(() => {}),
    signal,
  )
}
