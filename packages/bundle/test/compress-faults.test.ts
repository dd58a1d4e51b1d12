import {setTimeout as sleep} from 'node:timers/promises'
import type {Bytes} from '@airgap-mirror/oci-client/model'
import {afterAll, describe, expect, test} from 'vitest'
import {BlockBudget} from '#src/compress/block-budget.js'
import type {BlockMethod} from '#src/compress/block-packer.js'
import {BlockPool} from '#src/compress/block-pool.js'
import {createLayerCompressor, type LayerCompressor} from '#src/compress/layer-compressor.js'

const MiB = 1024 * 1024
const threads = 2
/** The blocks that `createLayerCompressor` allows besides one for each call. */
const sharedBlocks = 3 * threads

const opened: LayerCompressor[] = []
function open(method: 'gzip' | 'none' = 'gzip'): LayerCompressor {
  const compressor = createLayerCompressor(method, {threads})
  opened.push(compressor)
  return compressor
}
afterAll(() => Promise.all(opened.map((compressor) => compressor.close())))

const chunk = new Uint8Array(MiB / 4)

interface Source {
  readonly plain: Bytes
  pulled: number
  closed: boolean
}

/** Yields `chunks` chunks of a quarter block, then runs `end`. */
function source(chunks: number, end: () => Promise<void> = async () => {}): Source {
  const record: Source = {plain: generate(), pulled: 0, closed: false}
  async function* generate(): Bytes {
    try {
      for (let count = 0; count < chunks; count++) {
        record.pulled++
        yield chunk
      }
      await end()
    } finally {
      record.closed = true
    }
  }
  return record
}

/** Returns a source that hangs after some chunks, even on `return`. */
function hangingSource(chunks: number) {
  const record = {returned: 0}
  let count = 0
  const plain: Bytes = {
    [Symbol.asyncIterator]: () => ({
      next: () => (count++ < chunks ? Promise.resolve({value: chunk}) : new Promise(() => {})),
      return: () => {
        record.returned++
        return new Promise(() => {})
      },
    }),
  }
  return {plain, record}
}

async function drain(bytes: Bytes): Promise<void> {
  for await (const _ of bytes);
}

async function leaveAll(streams: readonly AsyncIterator<Uint8Array>[]): Promise<void> {
  for (const stream of streams) await stream.return?.()
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10)
}

/** Resolves when nothing more has been pulled for a while. */
async function settled(sources: readonly Source[]): Promise<number> {
  const total = (): number => sources.reduce((sum, {pulled}) => sum + pulled, 0)
  for (let before = -1; before !== total(); await sleep(300)) before = total()
  return total()
}

const endless = 1_000_000

describe('memory', () => {
  test.each([1, 20])('%i stalled consumers hold a block each and the shared blocks', async (calls) => {
    const {compress} = open()
    const sources = Array.from({length: calls}, () => source(endless))
    const streams = sources.map(({plain}) => compress(plain)[Symbol.asyncIterator]())
    // The first chunk is gzip's header; the second is a block.
    for (const stream of streams) await stream.next()
    for (const stream of streams) await stream.next()
    const pulled = await settled(sources)
    const blocks = calls + sharedBlocks
    // Each call may hold a further chunk that waits for room.
    expect(pulled).toBeLessThanOrEqual(blocks * 4 + calls)
    expect(pulled).toBeGreaterThanOrEqual(calls * 4)
    await leaveAll(streams)
    await until(() => sources.every(({closed}) => closed))
  })

  test('stalled consumers do not stop another layer', async () => {
    const {compress} = open()
    const sources = Array.from({length: 8}, () => source(endless))
    const streams = sources.map(({plain}) => compress(plain)[Symbol.asyncIterator]())
    for (const stream of streams) await stream.next()
    for (const stream of streams) await stream.next()
    await settled(sources)
    await expect(drain(compress(source(40).plain))).resolves.toBeUndefined()
    await leaveAll(streams)
  })

  test('nothing is pulled before a consumer reads', async () => {
    const idle = source(endless)
    open().compress(idle.plain)
    expect(await settled([idle])).toBe(0)
  })
})

describe('abort', () => {
  test.each(['gzip', 'none'] as const)('%s refuses when it comes first', async (method) => {
    const idle = source(endless)
    const signal = AbortSignal.abort()
    await expect(drain(open(method).compress(idle.plain, {signal}))).rejects.toMatchObject({
      code: 'CANCELLED',
    })
    expect(idle.pulled).toBe(0)
  })

  test('ends a reader whose layer hangs, and tells the layer', async () => {
    const {plain, record} = hangingSource(9)
    const controller = new AbortController()
    const reading = drain(open().compress(plain, {signal: controller.signal}))
    setTimeout(() => controller.abort(), 200)
    await expect(reading).rejects.toMatchObject({code: 'CANCELLED'})
    expect(record.returned).toBe(1)
  })

  test('and a consumer that leaves give all room back', async () => {
    const {compress} = open()
    for (let round = 0; round < 30; round++) {
      const controller = new AbortController()
      const left = source(endless)
      for await (const piece of compress(left.plain, {signal: controller.signal})) {
        if (piece.length > 10 && round % 2 === 0) break
        if (piece.length <= 10) continue
        controller.abort()
        break
      }
      await until(() => left.closed)
      const {plain} = hangingSource(round % 7)
      const hung = compress(plain, {signal: controller.signal})[Symbol.asyncIterator]()
      const first = hung.next().catch(() => {})
      const second = hung.next().catch(() => {})
      controller.abort()
      await Promise.all([first, second])
    }
    const stalled = source(endless)
    const stream = compress(stalled.plain)[Symbol.asyncIterator]()
    await stream.next()
    await stream.next()
    expect(await settled([stalled])).toBeGreaterThanOrEqual(4 * (1 + sharedBlocks))
    await stream.return?.()
  })
})

describe('errors', () => {
  test.each(['gzip', 'none'] as const)("a layer's own error reaches the reader of %s", async (method) => {
    const broken = new Error('the archive ends here')
    const failing = source(9, () => Promise.reject(broken))
    await expect(drain(open(method).compress(failing.plain))).rejects.toBe(broken)
  })

  test('one layer that fails leaves the others alone', async () => {
    const {compress} = open()
    const failing = drain(compress(source(9, () => Promise.reject(new Error('broken'))).plain))
    const [bad, good] = await Promise.allSettled([failing, drain(compress(source(60).plain))])
    expect([bad.status, good.status]).toEqual(['rejected', 'fulfilled'])
  })

  test('a thread that dies fails its block, and every one after it', async () => {
    const pool = new BlockPool('no such method' as BlockMethod, threads)
    const pack = () => pool.pack(new Uint8Array(10), {length: 10, wanted: () => true})
    await expect(pack()).rejects.toThrow('is not a function')
    await expect(Promise.all([pack(), pack(), pack()])).rejects.toThrow('is not a function')
    await pool.close()
  })

  test('closing fails open calls and later calls', async () => {
    const compressor = open()
    const {plain} = source(endless)
    const reading = drain(compressor.compress(plain))
    reading.catch(() => {})
    await sleep(100)
    await compressor.close()
    await expect(reading).rejects.toThrow('closed')
    await expect(drain(compressor.compress(source(9).plain))).rejects.toThrow('closed')
  })
})

test('a budget gives every call a block, and the rest in the order of requests', async () => {
  const budget = new BlockBudget(1)
  const [first, second] = [budget.open(), budget.open()]
  expect(await first.take()).toBe(true)
  expect(await first.take()).toBe(true)
  expect(await second.take()).toBe(true)
  const order: string[] = []
  const waiting = [second, first].map(async (allowance, index) => {
    order.push(`${['second', 'first'][index]} ${await allowance.take()}`)
  })
  first.give()
  await Promise.resolve()
  second.close()
  await Promise.all(waiting)
  expect(order).toEqual(['second true', 'first true'])
})
