import {acquireLock, type Lock} from '../../state/lock.js'
import type {Run} from '../../run/run.js'

/** The locks of all registries that a run changes, held until it ends. */
export interface SyncLocks {
  /** Aborted when one of them is lost. */
  readonly signals: readonly AbortSignal[]
  readonly isHeld: (registry: string) => Promise<boolean>
}

export interface LockOptions {
  /** Milliseconds to wait for the holder of a lock. */
  readonly wait: number
  readonly run: Run
}

/**
 * Holds registries, so that no other run changes them meanwhile. Two runs that want the same take them in the same order.
 * @throws {MirrorError} STATE_LOCKED, CANCELLED, WRITE_FAILED
 */
export async function lockRegistries(
  registries: ReadonlySet<string>,
  {wait, run}: LockOptions,
): Promise<SyncLocks> {
  const locks = new Map<string, Lock>()
  // Without state no other run can be kept out, and a dry run changes nothing.
  const directory = run.dryRun ? undefined : run.stateDirectory
  if (directory !== undefined) {
    for (const key of [...registries].toSorted()) {
      const lock = await acquireLock(directory, {key, wait, signal: run.stop.soon, onWait: run.note})
      locks.set(key, run.keep(lock))
    }
  }
  return {
    signals: [...locks.values()].map(({signal}) => signal),
    isHeld: async (registry) => (await locks.get(registry)?.held()) ?? true,
  }
}
