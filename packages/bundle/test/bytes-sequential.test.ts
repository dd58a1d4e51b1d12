import {describe, expect, test} from 'vitest'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import {seededBytes} from '@airgap-mirror/test/kit'
import {IdlePasses} from '#src/bytes/idle-passes.js'
import {SequentialBytes} from '#src/bytes/sequential-bytes.js'
import {collect, failureOf, inChunks} from './fixtures/packed.js'

const MiB = 1024 * 1024
const plain = seededBytes('sequential', 3 * MiB)

interface Recorded {
  readonly source: SequentialBytes
  /** Plain bytes that each pass has yielded so far. */
  readonly passes: number[]
  /** Passes whose decoder was closed, in that order. */
  readonly ended: number[]
}

/** Returns a source whose decoder yields chunks of a fixed size, and fails after `failsAt` bytes. */
function sequential(
  options: {chunk?: number; bytes?: Uint8Array; failsAt?: number; idle?: IdlePasses} = {},
): Recorded {
  const {chunk = 64 * 1024, bytes = plain, failsAt = Infinity, idle = new IdlePasses()} = options
  const passes: number[] = []
  const ended: number[] = []
  const source = new SequentialBytes({
    name: 'recorded',
    usage: {decoded: 0, scratchPeak: 0},
    open: async function* () {
      const pass = passes.push(0) - 1
      try {
        for await (const part of inChunks(bytes, chunk)) {
          if ((passes[pass] ?? 0) >= failsAt) throw new MirrorError('SOURCE_CORRUPT', 'damaged here')
          passes[pass] = (passes[pass] ?? 0) + part.length
          yield part
        }
      } finally {
        ended.push(pass)
      }
    },
    dispose: async () => {},
    idle,
  })
  return {source, passes, ended}
}

async function next(iterator: AsyncIterator<Uint8Array>): Promise<number> {
  const result = await iterator.next()
  return result.done === true ? 0 : result.value.length
}

async function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20))
}

describe('an in-order source', () => {
  test.each([1000, 4096, 65_536, 10 * MiB])(
    'serves ascending reads in one pass, chunks of %s',
    async (chunk) => {
      const {source, passes} = sequential({chunk})
      for (let at = 0; at < plain.length; at += 100_000) {
        const bytes = await source.read(at, 512)
        expect(Buffer.from(bytes).equals(plain.subarray(at, at + 512))).toBe(true)
        expect(Buffer.from(await source.read(at + 512, 1))[0]).toBe(plain[at + 512])
      }
      expect(await source.size()).toBe(plain.length)
      expect(passes).toEqual([plain.length])
    },
  )

  test('decodes no further than its readers need', async () => {
    const {source, passes} = sequential()
    await source.read(100_000, 10)
    await settled()
    expect(passes).toEqual([2 * 65_536])
  })

  test('serves many readers at once in one pass, wherever they begin', async () => {
    const {source, passes} = sequential()
    const ranges = Array.from({length: 20}, (_, index) => [index * 100_001, 900_000] as const)
    const results = await Promise.all(ranges.map(([at, length]) => collect(source.stream(at, length))))
    results.forEach((bytes, index) => {
      const [at, length] = ranges[index] ?? [0, 0]
      expect(bytes.equals(plain.subarray(at, at + length))).toBe(true)
    })
    expect(passes.length).toBe(1)
  })

  test('serves readers behind it in another pass, after the readers ahead', async () => {
    const {source, passes} = sequential()
    await source.read(MiB, 1)
    const order: string[] = []
    const ahead = collect(source.stream(2 * MiB, 1000)).then(() => order.push('ahead'))
    const behind = collect(source.stream(5000, 1000)).then(() => order.push('behind'))
    const further = collect(source.stream(MiB - 5000, 1000)).then(() => order.push('further'))
    await Promise.all([ahead, behind, further])
    expect(order).toEqual(['ahead', 'behind', 'further'])
    expect(passes.length).toBe(2)
  })

  test('does not pass a hold until it is released', async () => {
    const {source, passes} = sequential()
    const release = source.hold(MiB)
    const rest = collect(source.stream(2 * MiB, 1000))
    await settled()
    const held = passes[0] ?? 0
    expect(held).toBeLessThanOrEqual(MiB + 65_536)
    release()
    release()
    expect((await rest).equals(plain.subarray(2 * MiB, 2 * MiB + 1000))).toBe(true)
    expect(passes.length).toBe(1)
  })

  test('goes on after the announced reader has come, even if its hold is not released', async () => {
    const {source, passes} = sequential()
    source.hold(MiB)
    const rest = collect(source.stream(2 * MiB, 1000))
    await settled()
    expect((await collect(source.stream(MiB, 1000))).equals(plain.subarray(MiB, MiB + 1000))).toBe(true)
    await rest
    expect(passes.length).toBe(1)
  })

  test('buffers no more than 8 MiB for a slow reader', async () => {
    const bytes = seededBytes('slow', 40 * MiB)
    const {source, passes} = sequential({bytes, chunk: 256 * 1024})
    const slow = source.stream(0, bytes.length)[Symbol.asyncIterator]()
    await next(slow)
    const other = collect(source.stream(30 * MiB, 1000))
    await settled()
    expect(passes[0]).toBeLessThan(10 * MiB)
    let read = 0
    for (let length = 1; length > 0 && read < 29 * MiB;) read += length = await next(slow)
    await slow.return?.()
    expect((await other).equals(bytes.subarray(30 * MiB, 30 * MiB + 1000))).toBe(true)
    expect(passes.length).toBe(1)
  })

  test('goes on for others when a reader leaves or is aborted, even one that has stopped reading', async () => {
    const bytes = seededBytes('left', 20 * MiB)
    const {source} = sequential({bytes})
    const controller = new AbortController()
    const stuck = source.stream(0, bytes.length, {signal: controller.signal})[Symbol.asyncIterator]()
    await next(stuck)
    const other = collect(source.stream(19 * MiB, 1000))
    await settled()
    controller.abort()
    expect((await other).equals(bytes.subarray(19 * MiB, 19 * MiB + 1000))).toBe(true)
    expect(await failureOf(next(stuck))).toBe('CANCELLED')
  })

  test('reports a truncated source to every reader of the missing bytes', async () => {
    const {source} = sequential()
    const waiting = [1, 2, 3].map((index) => failureOf(collect(source.stream(MiB * index, 3 * MiB))))
    expect(await Promise.all(waiting)).toEqual(['SOURCE_TRUNCATED', 'SOURCE_TRUNCATED', 'SOURCE_TRUNCATED'])
  })

  test('serves bytes before damage, and fails for bytes behind it', async () => {
    const {source} = sequential({failsAt: MiB})
    const before = collect(source.stream(0, 1000))
    const behind = failureOf(collect(source.stream(2 * MiB, 10)))
    expect((await before).equals(plain.subarray(0, 1000))).toBe(true)
    expect(await behind).toBe('SOURCE_CORRUPT')
    expect(await failureOf(source.size())).toBe('SOURCE_CORRUPT')
    expect((await collect(source.stream(500, 1000))).equals(plain.subarray(500, 1500))).toBe(true)
  })

  test('fails its readers when it closes, and closes twice', async () => {
    const {source} = sequential()
    source.hold(0)
    const waiting = failureOf(collect(source.stream(1000, 1000)))
    await settled()
    await source[Symbol.asyncDispose]()
    await source[Symbol.asyncDispose]()
    expect(await waiting).toBe('CANCELLED')
    expect(await failureOf(collect(source.stream(0, 1)))).toBe('CANCELLED')
  })

  test('keeps few idle decoders, and begins again for a reader that comes back', async () => {
    const idle = new IdlePasses(2)
    const sources = Array.from({length: 4}, () => sequential({idle}))
    for (const {source} of sources) await source.read(1000, 10)
    await settled()
    expect(sources.map(({ended}) => ended.length)).toEqual([1, 1, 0, 0])
    for (const {source} of sources) {
      expect(Buffer.from(await source.read(2000, 10)).equals(plain.subarray(2000, 2010))).toBe(true)
    }
    expect(sources.map(({passes}) => passes.length)).toEqual([2, 2, 2, 2])
    const [first] = sources
    await first?.source[Symbol.asyncDispose]()
  })
})
