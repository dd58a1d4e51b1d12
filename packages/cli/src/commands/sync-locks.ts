import type {SyncSettings} from '../settings/sync-settings.js'
import {acquireLock, type Lock} from '../state/lock.js'
import type {Run} from './run-command.js'
import {keyOf} from './sync-targets.js'

/** The locks of all targets of a run. */
export interface SyncLocks extends AsyncDisposable {
  /** Aborted when one of them is lost. */
  readonly signals: readonly AbortSignal[]
}

/**
 * Holds every target of every job, so that no other run changes them meanwhile. Two runs that want the same take them in the
 * same order.
 * @throws {MirrorError} STATE_LOCKED, CANCELLED, WRITE_FAILED
 */
export const lockTargets = async (
  {jobs, wait}: Pick<SyncSettings, 'jobs' | 'wait'>,
  {directory, run}: {readonly directory: string; readonly run: Run},
): Promise<SyncLocks> => {
  const keys = new Set(jobs.flatMap(({targets}) => targets.map(keyOf)))
  const locks: Lock[] = []
  const release = async (): Promise<void> => {
    for (const lock of locks.toReversed()) await lock[Symbol.asyncDispose]()
  }
  try {
    const {drain: signal} = run.interruption
    for (const key of [...keys].toSorted())
      locks.push(await acquireLock(directory, {key, wait, signal, onWait: run.note}))
  } catch (error) {
    await release()
    throw error
  }
  return {signals: locks.map(({signal}) => signal), [Symbol.asyncDispose]: release}
}
