import {describe, expect, test} from 'vitest'
import {compress, seededText, type XzOptions} from '@airgap-mirror/test/kit'
import type {SequentialDecoder} from '#src/codecs/sequential-decoder.js'
import {loadLzmaNative} from '#src/codecs/xz/lzma-native.js'
import {portableXz} from '#src/codecs/xz/portable-xz.js'
import {loadNodeLiblzma} from '#src/codecs/xz/node-liblzma.js'
import {withKnownFilters} from '#src/codecs/xz/known-filters.js'
import {collect, failureOf, filter as packedBy, inChunks} from './fixtures/packed.js'

const KiB = 1024
const plain = seededText('xz decoder', 200 * KiB)
/** A small file that decodes to more than a decoder may hold. */
const bomb = await compress(Buffer.alloc(128 * 1024 * KiB), {type: 'xz', preset: 0})
const fast = await loadNodeLiblzma()
const decoders: readonly (readonly [string, SequentialDecoder])[] = [
  // A platform without the fast library's binary has only the other library.
  ...(fast === undefined ? [] : [['node-liblzma', fast] as const]),
  ['lzma-native', await loadLzmaNative()],
  ['its own', portableXz],
]

describe.each(decoders)('the decoder of %s', (_name, decoder) => {
  const decode = (bytes: Uint8Array, chunk = 10_000, signal?: AbortSignal) =>
    decoder(inChunks(bytes, chunk), {name: 'a.xz', signal})
  const xz = async (options: Omit<XzOptions, 'type'>) => compress(plain, {type: 'xz', ...options})
  test.each<[string, Omit<XzOptions, 'type'>]>([
    ['one block', {}],
    ['many blocks', {blockSize: 64 * KiB}],
    ['many streams with padding', {streamSize: 100 * KiB, padding: 12}],
    ['no checksum', {check: 'CHECK_NONE'}],
    ['CRC32', {check: 'CHECK_CRC32'}],
    ['SHA-256', {check: 'CHECK_SHA256'}],
  ])('gives the plain bytes of %s', async (_what, options) => {
    expect((await collect(decode(await xz(options)))).equals(plain)).toBe(true)
  })

  test.each([1, 3, 1000, 1_000_000])('takes chunks of %s bytes', async (size) => {
    const bytes = await compress(plain.subarray(0, 20 * KiB), {type: 'xz'})
    expect((await collect(decode(bytes, size))).equals(plain.subarray(0, 20 * KiB))).toBe(true)
  })

  test('gives nothing for an empty stream', async () => {
    expect((await collect(decode(await compress(new Uint8Array(), {type: 'xz'})))).length).toBe(0)
  })

  test('does not take a truncated stream for a complete one', async () => {
    const bytes = await xz({blockSize: 64 * KiB})
    for (let length = 1; length < bytes.length; length += Math.ceil(bytes.length / 40)) {
      expect([length, await failureOf(collect(decode(bytes.subarray(0, length))))]).toEqual([
        length,
        'SOURCE_TRUNCATED',
      ])
    }
    expect(await failureOf(collect(decode(bytes.subarray(0, -1))))).toBe('SOURCE_TRUNCATED')
  })

  test('notices a wrong bit anywhere', async () => {
    const bytes = await xz({blockSize: 64 * KiB})
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 40)) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ 0x20
      expect(await failureOf(collect(decode(damaged)))).toMatch(/^SOURCE_(?:CORRUPT|TRUNCATED|UNSUPPORTED)$/)
    }
  })

  test('refuses bytes after the stream that are not a stream', async () => {
    const bytes = Buffer.concat([await xz({}), Buffer.from('garbage garbage')])
    expect(await failureOf(collect(decode(bytes)))).toBe('SOURCE_CORRUPT')
  })

  test('stops at an abort, and frees its memory when its reader leaves', async () => {
    const controller = new AbortController()
    const abort = async (): Promise<void> => {
      for await (const _ of decode(bomb, 10_000, controller.signal)) controller.abort()
    }
    expect(await failureOf(abort())).toBe('CANCELLED')
    for await (const chunk of decode(bomb)) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
  })

  test('holds little of a bomb whose reader is slow', async () => {
    const before = process.memoryUsage.rss()
    let read = 0
    for await (const chunk of decode(bomb, 2_000)) {
      read += chunk.length
      if (read > 5 * 1024 * KiB) break
    }
    expect((process.memoryUsage.rss() - before) / 1024 / KiB).toBeLessThan(64)
  })

  test('can run many at once', async () => {
    const bytes = await xz({})
    const all = await Promise.all(Array.from({length: 12}, () => collect(decode(bytes, 5000))))
    expect(all.every((result) => result.equals(plain))).toBe(true)
  })
})

test.each([
  ['x86', ['--x86', '--lzma2']],
  ['ARM', ['--arm', '--lzma2']],
  ['delta', ['--delta=dist=4', '--lzma2']],
  ['PowerPC', ['--powerpc', '--lzma2']],
])('a stream with the filter %s is no damage where the decoder knows LZMA2 alone', async (filter, args) => {
  const packed = await packedBy('xz', ['-c', ...args], plain)
  const decode = withKnownFilters(portableXz, 'portable')
  await expect(collect(decode(inChunks(packed, 7), {name: 'a.xz'}))).rejects.toMatchObject({
    code: 'SOURCE_UNSUPPORTED',
    message: `a.xz is packed with the xz filter ${filter}, which portable does not know`,
    advice: {kind: 'decompress', compression: 'xz'},
  })
  const native = withKnownFilters(await loadLzmaNative(), 'lzma-native')
  expect((await collect(native(inChunks(packed, 1000), {name: 'a.xz'}))).equals(plain)).toBe(true)
})

test('a stream is read through the look at its filters, however short', async () => {
  const decode = withKnownFilters(portableXz, 'portable')
  for (const length of [0, 1, 2000]) {
    const bytes = await compress(plain.subarray(0, length), {type: 'xz'})
    expect((await collect(decode(inChunks(bytes, 5), {name: 'a.xz'}))).length).toBe(length)
  }
})

test('the fast library loads if it has a binary', () => {
  const hasBinary = ['linux-x64', 'darwin-arm64', 'win32-x64'].includes(`${process.platform}-${process.arch}`)
  expect(fast !== undefined).toBe(hasBinary)
})
