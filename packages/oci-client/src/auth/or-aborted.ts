import {cancelled} from '../model/index.js'

/**
 * Waits for work that others wait for as well: giving up leaves it running.
 * @throws what the work throws, CANCELLED
 */
export async function orAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return await work
  if (signal.aborted) throw cancelled(signal)
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(cancelled(signal))
  })
  signal.addEventListener('abort', onAbort, {once: true})
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
