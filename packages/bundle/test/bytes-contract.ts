import {seededBytes, seededText} from '@airgap-mirror/test/kit'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import type {ByteSource} from '#src/bytes/byte-source.js'
import {collect, failureOf} from './fixtures/packed.js'

const KiB = 1024

/** Noise, a hole and text. Longer than any chunk of any source. */
export const plain = Buffer.concat([
  seededBytes('contract', 500 * KiB),
  Buffer.alloc(400 * KiB),
  seededText('contract', 300 * KiB),
])
/** The zeros in it. */
export const hole = {from: 500 * KiB, to: 900 * KiB}

/** The beginning, the edges of the hole, its middle, the last bytes. */
const PLACES = [0, hole.from - 3, hole.from + 100 * KiB, hole.to - 7, plain.length - 10] as const

/** The promises of the port. `make` returns a source of exactly the bytes `plain`. */
export function byteSourceContract(name: string, make: () => Promise<ByteSource>): void {
  describe(`a byte source, ${name}`, () => {
    let source: ByteSource
    beforeAll(async () => {
      source = await make()
    })
    afterAll(() => source[Symbol.asyncDispose]())

    async function read(offset: number, length: number): Promise<string> {
      return verdict(await source.read(offset, length), offset, length)
    }

    async function streamed(offset: number, length: number): Promise<string> {
      return verdict(await collect(source.stream(offset, length)), offset, length)
    }

    test('reads up to as many bytes as are asked for, fewer only at its end', async () => {
      const used = source.usage.decoded
      expect(await source.size()).toBe(plain.length)
      expect(await read(plain.length - 10, 100)).toBe('right')
      expect(
        await outcomesOf([...PLACES, plain.length, plain.length + 5].map((offset) => read(offset, 100))),
      ).toEqual(['right'])
      expect(await outcomesOf(PLACES.map((offset) => read(offset, 0)))).toEqual(['right'])
      expect(source.usage.decoded).toBeGreaterThanOrEqual(used)
    })

    test('streams exactly the bytes that are asked for, or fails with SOURCE_TRUNCATED', async () => {
      for (const offset of PLACES) expect(await streamed(offset, 10)).toBe('right')
      expect(await outcomesOf(PLACES.map((offset) => streamed(offset, plain.length - offset)))).toEqual([
        'right',
      ])
      expect(await outcomesOf(PLACES.map((offset) => streamed(offset, 0)))).toEqual(['right'])
      const beyond = PLACES.map((offset) => collect(source.stream(offset, plain.length - offset + 1)))
      expect(await outcomesOf(beyond.map(failureOf))).toEqual(['SOURCE_TRUNCATED'])
    })

    test('serves many readers at once, whatever their order and whoever leaves', async () => {
      const leave = async (offset: number): Promise<string> => {
        for await (const chunk of source.stream(offset, plain.length - offset))
          return verdict(chunk, offset, chunk.length)
        return 'no chunk'
      }
      expect(
        await outcomesOf(
          PLACES.toReversed().flatMap((offset) => [
            leave(offset),
            streamed(offset, Math.min(200 * KiB, plain.length - offset)),
            read(offset, 10),
          ]),
        ),
      ).toEqual(['right'])
    })

    test('serves a reader that announced itself, and others after an announcement was taken back', async () => {
      const releases = PLACES.map((offset) => source.hold(offset))
      expect(await outcomesOf(PLACES.map((offset) => streamed(offset, 10)))).toEqual(['right'])
      const unused = PLACES.map((offset) => source.hold(offset))
      for (const release of [...releases, ...unused, ...unused]) release()
      expect(await streamed(0, plain.length)).toBe('right')
    })

    test('stops at the signal, for its reader alone', async () => {
      const signal = AbortSignal.abort()
      const late = PLACES.flatMap((offset) => [
        source.read(offset, 10, {signal}),
        collect(source.stream(offset, 10, {signal})),
      ])
      expect(await outcomesOf(late.map(failureOf))).toEqual(['CANCELLED'])
      const controller = new AbortController()
      const stopped = async (): Promise<void> => {
        for await (const _ of source.stream(0, plain.length, controller)) controller.abort()
      }
      const others = PLACES.map((offset) => streamed(offset, plain.length - offset))
      expect(await failureOf(stopped())).toBe('CANCELLED')
      expect(await outcomesOf(others)).toEqual(['right'])
    })

    test('closes twice without an error', async () => {
      const closing = await make()
      await closing.read(0, 10)
      await closing[Symbol.asyncDispose]()
      await expect(closing[Symbol.asyncDispose]()).resolves.toBeUndefined()
    })
  })
}

/** Returns the different outcomes of what goes on at once. */
async function outcomesOf(work: readonly Promise<string>[]): Promise<readonly string[]> {
  return [...new Set(await Promise.all(work))]
}

/** A word, since a failed comparison of buffers would print them. */
function verdict(bytes: Uint8Array, offset: number, length: number): string {
  const wanted = plain.subarray(offset, offset + length)
  if (bytes.length !== wanted.length) return `${bytes.length} bytes at ${offset} instead of ${wanted.length}`
  return wanted.equals(bytes) ? 'right' : `other bytes at ${offset}`
}
