import {whenAborted} from './when-aborted.js'
import {beginSpan, cancelled} from '../model/index.js'

/** The longest delay of a timer; a longer one would fire at once. */
const LONGEST = 2 ** 31 - 1

/**
 * @param why for a trace, such as `retry GET /v2/`
 * @throws {MirrorError} CANCELLED
 */
export async function sleep(
  milliseconds: number,
  signal?: AbortSignal,
  why: () => string = () => 'pause',
): Promise<void> {
  if (signal?.aborted) throw cancelled(signal)
  const end = beginSpan(() => ({kind: 'waiting', name: why()}))
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
    end()
  }
}
