import {setTimeout as wait} from 'node:timers/promises'
import {cancelled} from '../model/index.js'

/** The longest a timer can wait; longer ones would fire at once. */
const LONGEST = 2 ** 31 - 1

/** @throws {MirrorError} CANCELLED */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await wait(Math.min(Math.max(milliseconds, 0), LONGEST), undefined, signal === undefined ? {} : {signal})
  } catch (error) {
    if (signal?.aborted) throw cancelled(signal)
    throw error
  }
}
