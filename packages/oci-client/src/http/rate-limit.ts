import {sleep as sleepFor} from './sleep.js'
import type {Bytes} from '../model/index.js'

export type RateLimit = (bytes: Bytes, options?: {readonly signal?: AbortSignal}) => Bytes

/** Pieces a second: small enough to hold the rate within a second, large enough to cost nothing. */
const PIECES = 8
const SMALLEST_PIECE = 1024
const LARGEST_PIECE = 256 * 1024

/**
 * Returns a limiter with one token bucket for all streams that pass through it. They take turns piece by piece. At most
 * a tenth of a second of silence is made up for.
 */
export function limitRate(
  bytesPerSecond: number,
  {
    now = () => performance.now(),
    sleep = sleepFor,
  }: {readonly now?: () => number; readonly sleep?: typeof sleepFor} = {},
): RateLimit {
  const piece = Math.min(Math.max(Math.ceil(bytesPerSecond / PIECES), SMALLEST_PIECE), LARGEST_PIECE)
  let free = 0
  const take = async (bytes: number, signal: AbortSignal | undefined): Promise<void> => {
    const asked = now()
    const start = Math.max(free, asked - 100)
    free = start + (bytes / bytesPerSecond) * 1000
    if (start > asked) await sleep(start - asked, signal, () => 'rate limit')
  }
  return async function* limited(bytes, {signal} = {}) {
    for await (const chunk of bytes) {
      for (let offset = 0; offset < chunk.length; offset += piece) {
        const part = chunk.subarray(offset, offset + piece)
        await take(part.length, signal)
        yield part
      }
    }
  }
}
