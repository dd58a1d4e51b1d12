import {MirrorError, type Bytes, type Side} from '../model/index.js'

export interface LeastRate {
  /** Milliseconds of waiting over which the average is taken. */
  readonly span: number
  /** Bytes a second, on average over each span. */
  readonly rate: number
}

/** Slower than any modem of the last thirty years. */
const LEAST: LeastRate = {span: 120_000, rate: 1024}

/**
 * Passes bytes on while they come at a least average rate, because a body that trickles would never end. Only waiting
 * for the body counts, not the time until its reader asks for more.
 * @throws {MirrorError} TIMEOUT
 */
export async function* atLeastRate(
  bytes: Bytes,
  {
    origin,
    side,
    least = LEAST,
    now = () => performance.now(),
  }: {
    readonly origin: string
    readonly side: Side
    readonly least?: LeastRate
    readonly now?: () => number
  },
): AsyncGenerator<Uint8Array, void, undefined> {
  let waited = 0
  let size = 0
  let asked = now()
  for await (const chunk of bytes) {
    waited += now() - asked
    size += chunk.length
    const expected = (waited / 1000) * least.rate
    if (waited > least.span && size < expected) {
      const seconds = Math.round(waited / 1000)
      throw new MirrorError(
        'TIMEOUT',
        `${new URL(origin).host} sent ${size} bytes in ${seconds} s: too slow to wait for`,
        {
          side,
        },
      )
    }
    if (waited > least.span) {
      // A new span: many bytes at the start earn no patience later.
      waited = 0
      size = 0
    }
    yield chunk
    asked = now()
  }
}
