import {whenAborted} from './when-aborted.js'
import {cancelled} from '../model/index.js'

/** The longest delay of a timer; a longer one would fire at once. */
const LONGEST = 2 ** 31 - 1

/** @throws {MirrorError} CANCELLED */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) throw cancelled(signal)
  let detach = (): void => {}
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, Math.min(Math.max(milliseconds, 0), LONGEST))
      detach = whenAborted(signal, () => {
        clearTimeout(timer)
        reject(cancelled(signal))
      })
    })
  } finally {
    detach()
  }
}
