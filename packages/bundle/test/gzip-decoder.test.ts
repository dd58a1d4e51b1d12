import {constants, gzipSync} from 'node:zlib'
import {describe, expect, test} from 'vitest'
import {compress, seededText} from '@airgap-mirror/test/kit'
import {gunzip} from '#src/codecs/gzip/gunzip.js'
import {collect, failureOf, inChunks} from './fixtures/packed.js'

const KiB = 1024
const plain = seededText('gunzip', 600 * KiB)
function decode(bytes: Uint8Array, chunk = 10_000, signal?: AbortSignal) {
  return gunzip(inChunks(bytes, chunk), {name: 'a.gz', signal})
}

describe('gunzip', () => {
  test.each([1, 7, 1000, 1_000_000])('gives the plain bytes, in chunks of %s', async (size) => {
    const bytes = await compress(plain.subarray(0, 50 * KiB), {type: 'gzip', memberSize: 20 * KiB})
    expect((await collect(decode(bytes, size))).equals(plain.subarray(0, 50 * KiB))).toBe(true)
  })

  test('reads all members, and ignores padding behind the last as gzip does', async () => {
    const bytes = await compress(plain, {type: 'gzip', memberSize: 100 * KiB})
    expect((await collect(decode(Buffer.concat([bytes, Buffer.alloc(512)])))).equals(plain)).toBe(true)
  })

  test('does not take a truncated member for a complete one', async () => {
    const bytes = gzipSync(plain)
    for (let length = 1; length < bytes.length; length += Math.ceil(bytes.length / 50)) {
      expect([length, await failureOf(collect(decode(bytes.subarray(0, length))))]).toEqual([
        length,
        'SOURCE_TRUNCATED',
      ])
    }
    expect(await failureOf(collect(decode(bytes.subarray(0, -1))))).toBe('SOURCE_TRUNCATED')
  })

  test('notices wrong bits in data and checksum', async () => {
    const bytes = gzipSync(plain, {level: constants.Z_BEST_SPEED})
    for (let at = 10; at < bytes.length; at += Math.ceil(bytes.length / 50)) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ 0x20
      expect(await failureOf(collect(decode(damaged)))).toMatch(/^SOURCE_(?:CORRUPT|TRUNCATED)$/)
    }
    const wrongSum = Buffer.from(bytes)
    wrongSum[bytes.length - 6] = (wrongSum[bytes.length - 6] ?? 0) ^ 1
    expect(await failureOf(collect(decode(wrongSum)))).toBe('SOURCE_CORRUPT')
  })

  test('holds little of a bomb whose reader is slow, and stops at an abort', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * KiB))
    const before = process.memoryUsage.rss()
    const controller = new AbortController()
    let read = 0
    const part = async (): Promise<void> => {
      for await (const chunk of decode(bomb, 1_000_000, controller.signal)) {
        read += chunk.length
        if (read > 5 * 1024 * KiB) controller.abort()
      }
    }
    expect(await failureOf(part())).toBe('CANCELLED')
    expect((process.memoryUsage.rss() - before) / 1024 / KiB).toBeLessThan(64)
  })
})
