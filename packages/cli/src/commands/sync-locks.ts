import {acquireLock, type Lock} from '../state/lock.js'
import type {Run} from './run-command.js'

/** The locks of all registries that a run changes. */
export interface SyncLocks extends AsyncDisposable {
  /** Aborted when one of them is lost. */
  readonly signals: readonly AbortSignal[]
  readonly isHeld: (registry: string) => Promise<boolean>
}

export interface LockOptions {
  /** Where state is kept; undefined: nobody can be locked out. */
  readonly directory: string | undefined
  /** Milliseconds to wait for whoever holds one. */
  readonly wait: number
  readonly run: Run
}

/**
 * Holds registries, so that no other run changes them meanwhile. Two runs that want the same take them in the same order.
 * @throws {MirrorError} STATE_LOCKED, CANCELLED, WRITE_FAILED
 */
export async function lockRegistries(
  registries: ReadonlySet<string>,
  {directory, wait, run}: LockOptions,
): Promise<SyncLocks> {
  const locks = new Map<string, Lock>()
  const release = async (): Promise<void> => {
    for (const lock of [...locks.values()].toReversed()) await lock[Symbol.asyncDispose]()
  }
  try {
    const {drain: signal} = run.interruption
    if (directory !== undefined)
      for (const key of [...registries].toSorted())
        locks.set(key, await acquireLock(directory, {key, wait, signal, onWait: run.note}))
  } catch (error) {
    await release()
    throw error
  }
  return {
    signals: [...locks.values()].map(({signal}) => signal),
    isHeld: async (registry) => (await locks.get(registry)?.held()) ?? true,
    [Symbol.asyncDispose]: release,
  }
}
