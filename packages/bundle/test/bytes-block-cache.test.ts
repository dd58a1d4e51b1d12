import {describe, expect, test} from 'vitest'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import {BlockCache, type Block} from '#src/bytes/block-cache.js'
import {failureOf} from './fixtures/packed.js'

interface Recorded extends Block {
  decodes: number
  /** Ends the running decoding. */
  finish(error?: Error): void
}

const running = new Set<Recorded>()

/** Returns a block whose decoding ends when the test calls `finish`, or at once. */
function block(order: number, options: {size?: number; byHand?: boolean} = {}): Recorded {
  const {size = 100, byHand = false} = options
  let settle: ((error?: Error) => void) | undefined
  const self: Recorded = {
    order,
    size,
    decodes: 0,
    finish: (error) => settle?.(error),
    decode: async (target, signal) => {
      self.decodes += 1
      running.add(self)
      try {
        if (byHand) {
          await new Promise<void>((resolve, reject) => {
            settle = (error) => (error === undefined ? resolve() : reject(error))
            signal.addEventListener('abort', () => reject(signal.reason as Error))
          })
        }
        target.fill(order)
      } finally {
        running.delete(self)
      }
    },
  }
  return self
}

async function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
function cacheOf(blocks: number, threads = 8) {
  return new BlockCache({budget: blocks * 100, threads})
}

describe('the block cache', () => {
  test('decodes a block once for all its readers, early and late', async () => {
    const cache = cacheOf(3)
    const one = block(1)
    const leases = await Promise.all([cache.acquire(one), cache.acquire(one), cache.acquire(one)])
    leases.forEach(({release}) => release())
    const again = await cache.acquire(one)
    expect(again.bytes[99]).toBe(1)
    expect(one.decodes).toBe(1)
  })

  test('decodes a block far ahead of the lowest reader at once only if a copy of it is kept', async () => {
    const cache = cacheOf(3)
    const lowest = block(0, {byHand: true})
    const waiting = cache.acquire(lowest)
    const [far, kept] = [block(1000), {...block(2000), isKept: true}]
    const lease = await cache.acquire(kept)
    lease.release()
    const late = cache.acquire(far)
    await turn()
    expect(far.decodes).toBe(0)
    lowest.finish()
    ;(await waiting).release()
    ;(await late).release()
    expect(far.decodes).toBe(1)
  })

  test('keeps the blocks that a reader behind needs, and makes a reader ahead wait', async () => {
    const cache = cacheOf(3)
    const blocks = [1, 2, 3].map((order) => block(order))
    const [first, second, third] = await Promise.all(blocks.map((each) => cache.acquire(each)))
    second?.release()
    third?.release()
    let isIn = false
    const ahead = cache.acquire(block(4)).then((lease) => {
      isIn = true
      return lease
    })
    await turn()
    expect(isIn).toBe(false)
    first?.release()
    ;(await ahead).release()
    for (const each of blocks.slice(1).toReversed()) (await cache.acquire(each)).release()
    expect(blocks.map(({decodes}) => decodes)).toEqual([1, 1, 1])
  })

  test('gives a reader its next block before a waiter can take its place', async () => {
    const cache = cacheOf(2)
    const [one, two, far] = [block(1), block(2), block(3)]
    const lease = await cache.acquire(one)
    cache.prefetch(two)
    const ahead = cache.acquire(far)
    await turn()
    const next = await cache.acquire(two, {instead: lease})
    next.release()
    ;(await ahead).release()
    expect([one, two, far].map(({decodes}) => decodes)).toEqual([1, 1, 1])
  })

  test('keeps announced blocks rather than the last used', async () => {
    const cache = cacheOf(2)
    const [announced, other] = [block(1), block(2)]
    const release = cache.hold(announced)
    ;(await cache.acquire(announced)).release()
    ;(await cache.acquire(other)).release()
    ;(await cache.acquire(block(3))).release()
    ;(await cache.acquire(announced)).release()
    expect(announced.decodes).toBe(1)
    release()
    release()
  })

  test('makes readers wait for room, and admits the lowest first', async () => {
    const cache = cacheOf(1)
    const lease = await cache.acquire(block(1))
    const order: number[] = []
    const waiting = [5, 3, 4].map(async (number) => {
      const {release} = await cache.acquire(block(number))
      order.push(number)
      release()
    })
    await turn()
    expect(order).toEqual([])
    lease.release()
    await Promise.all(waiting)
    expect(order).toEqual([3, 4, 5])
  })

  test('allows a single block that is bigger than its budget', async () => {
    const cache = cacheOf(1)
    const small = await cache.acquire(block(1))
    const big = cache.acquire(block(2, {size: 500}))
    await turn()
    expect(running.size).toBe(0)
    small.release()
    expect((await big).bytes.length).toBe(500)
  })

  test('decodes no more blocks at once than there are threads', async () => {
    const cache = cacheOf(10, 2)
    const blocks = [1, 2, 3].map((order) => block(order, {byHand: true}))
    const leases = blocks.map((each) => cache.acquire(each))
    await turn()
    expect(running.size).toBe(2)
    blocks[0]?.finish()
    await leases[0]
    await turn()
    expect(blocks.map(({decodes}) => decodes)).toEqual([1, 1, 1])
    blocks[1]?.finish()
    blocks[2]?.finish()
    await Promise.all(leases)
  })

  test('reports a failure to all who wait for the block, and tries again for the next reader', async () => {
    const cache = cacheOf(2)
    const bad = block(1, {byHand: true})
    const all = Promise.all([failureOf(cache.acquire(bad)), failureOf(cache.acquire(bad))])
    await turn()
    bad.finish(new MirrorError('SOURCE_CORRUPT', 'bad'))
    expect(await all).toEqual(['SOURCE_CORRUPT', 'SOURCE_CORRUPT'])
    const again = cache.acquire(bad)
    await turn()
    bad.finish()
    expect((await again).bytes[0]).toBe(1)
  })

  test('has nothing in use after an abort, whenever it comes', async () => {
    const cache = cacheOf(1)
    const controller = new AbortController()
    const decoding = block(1, {byHand: true})
    const first = failureOf(cache.acquire(decoding, controller))
    const second = failureOf(cache.acquire(block(2), controller))
    await turn()
    controller.abort()
    expect(await Promise.all([first, second])).toEqual(['CANCELLED', 'CANCELLED'])
    expect(await failureOf(cache.acquire(block(3), controller))).toBe('CANCELLED')
    decoding.finish()
    ;(await cache.acquire(block(4))).release()
  })

  test('prefetches only into free room', async () => {
    const cache = cacheOf(3)
    const used = await cache.acquire(block(1))
    const [second, third, fourth] = [block(2), block(3), block(4)]
    for (const ahead of [second, third, fourth]) cache.prefetch(ahead)
    await turn()
    expect([second.decodes, third.decodes, fourth.decodes]).toEqual([1, 1, 0])
    used.release()
    cache.prefetch(fourth)
    await turn()
    expect(fourth.decodes).toBe(1)
    for (const ahead of [second, third, fourth]) (await cache.acquire(ahead)).release()
    expect([second.decodes, third.decodes, fourth.decodes]).toEqual([1, 1, 1])
  })

  test('stops decoding for a source that closes', async () => {
    const cache = cacheOf(3)
    const slow = block(1, {byHand: true})
    const waiting = failureOf(cache.acquire(slow))
    await turn()
    await cache.drop(new Set<Block>([slow]), new MirrorError('CANCELLED', 'closed'))
    expect(await waiting).toBe('CANCELLED')
    expect(running.size).toBe(0)
  })
})
