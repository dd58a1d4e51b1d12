import {whenAborted} from '../http/when-aborted.js'
import {cancelled} from '../model/index.js'

/**
 * Waits for work that others may wait for as well. An abort ends the wait and leaves the work running.
 * @throws the work's error, CANCELLED
 */
export async function orAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return await work
  if (signal.aborted) throw cancelled(signal)
  let detach = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    detach = whenAborted(signal, () => reject(cancelled(signal)))
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    detach()
  }
}
