import {describe, expect, test} from 'vitest'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import {compress, lacksTool, requireTool, seededText} from '@airgap-mirror/test/kit'
import type {SequentialDecoder} from '#src/codecs/sequential-decoder.js'
import {nodeZstd} from '#src/codecs/zstd/node-zstd.js'
import {workerZstd} from '#src/codecs/zstd/worker-zstd.js'
import {collect, failureOf, filter, inChunks} from './fixtures/packed.js'

const KiB = 1024
const MiB = 1024 * KiB
const plain = seededText('zstd decoder', 600 * KiB)
const own = nodeZstd()
const decoders: readonly (readonly [string, SequentialDecoder])[] = [
  // Node has its own decoder from 22.15 on.
  ...(own === undefined ? [] : [['Node', own] as const]),
  ['WebAssembly', workerZstd],
]

function skippable(content: Uint8Array): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32LE(0x184d2a53)
  head.writeUInt32LE(content.length, 4)
  return Buffer.concat([head, content])
}

/** Returns a frame with one block that repeats a byte, and a window of 2^(10 + exponent). */
function repeated(exponent: number, size: number): Buffer {
  const block = Buffer.alloc(3)
  block.writeUIntLE(1 | (1 << 1) | (size << 3), 0, 3)
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, exponent << 3]), block, Buffer.from('r')])
}

/** As `repeated`, with a number of 128 KiB blocks: four bytes each in the file. */
function bomb(blocks: number): Buffer {
  const block = Buffer.alloc(4, 'b')
  block.writeUIntLE((1 << 1) | ((128 * KiB) << 3), 0, 3)
  const last = Buffer.from(block)
  last[0] = (last[0] ?? 0) | 1
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3])
  return Buffer.concat([head, ...Array.from({length: blocks - 1}, () => block), last])
}

describe.each(decoders)('zstd by %s', (_name, decoder) => {
  const decode = (bytes: Uint8Array, chunk = 10_000, signal?: AbortSignal) =>
    decoder(inChunks(bytes, chunk), {name: 'a.zst', signal})
  const one = () => compress(plain, {type: 'zstd'})
  const many = () => compress(plain, {type: 'zstd', frameSize: 70 * KiB})

  test('gives the plain bytes of one frame and of many', async () => {
    expect((await collect(decode(await one()))).equals(plain)).toBe(true)
    expect((await collect(decode(await many()))).equals(plain)).toBe(true)
    expect((await collect(decode(await many(), 1_000_000))).equals(plain)).toBe(true)
  })

  test.each([1, 5, 1000])('takes chunks of %s bytes', async (size) => {
    const small = plain.subarray(0, 3 * KiB)
    const bytes = await compress(small, {type: 'zstd', frameSize: 1000})
    expect((await collect(decode(bytes, size))).equals(small)).toBe(true)
  })

  test('passes over skippable frames, before, between and behind the others', async () => {
    const extra = skippable(Buffer.alloc(5000, 1))
    const bytes = Buffer.concat([skippable(Buffer.alloc(0)), await one(), extra, await one(), extra])
    expect((await collect(decode(bytes))).equals(Buffer.concat([plain, plain]))).toBe(true)
  })

  test('reads files of zstd --long=27 with checksums', async (context) => {
    requireTool(context, 'zstd')
    const bytes = await filter('zstd', ['-q', '-c', '--long=27', '-T2', '--check'], plain)
    expect((await collect(decode(bytes))).equals(plain)).toBe(true)
  })

  test('reads empty frames and files of nothing else', async () => {
    const empty = await compress(new Uint8Array(), {type: 'zstd', frameSize: 1}).then((bytes) =>
      bytes.length > 0 ? bytes : filter('zstd', ['-q', '-c'], new Uint8Array()),
    )
    expect((await collect(decode(Buffer.concat([empty, empty])))).length).toBe(0)
  })

  test('does not take a truncated frame for a complete one', async () => {
    const bytes = await one()
    for (let length = 1; length < bytes.length; length += Math.ceil(bytes.length / 15)) {
      expect([length, await failureOf(collect(decode(bytes.subarray(0, length))))]).toEqual([
        length,
        'SOURCE_TRUNCATED',
      ])
    }
    expect(await failureOf(collect(decode(bytes.subarray(0, -1))))).toBe('SOURCE_TRUNCATED')
    const twoFrames = Buffer.concat([bytes, bytes])
    expect(await failureOf(collect(decode(twoFrames.subarray(0, -1))))).toBe('SOURCE_TRUNCATED')
    expect(await failureOf(collect(decode(skippable(plain).subarray(0, -1))))).toBe('SOURCE_TRUNCATED')
  })

  test('refuses bytes after the last frame that are not a frame', async () => {
    expect(await failureOf(collect(decode(Buffer.concat([await one(), Buffer.from('garbage')]))))).toBe(
      'SOURCE_CORRUPT',
    )
  })

  test('reads a window of 128 MiB', async () => {
    expect((await collect(decode(repeated(17, 10)))).toString()).toBe('r'.repeat(10))
  })

  test('holds little of a bomb whose reader is slow', async () => {
    const bytes = bomb(4096)
    const before = process.memoryUsage.rss()
    let read = 0
    for await (const chunk of decode(bytes, 1_000_000)) {
      read += chunk.length
      if (read > 5 * MiB) break
    }
    expect((process.memoryUsage.rss() - before) / MiB).toBeLessThan(100)
  })

  test('stops at an abort', async () => {
    const controller = new AbortController()
    const abort = async (): Promise<void> => {
      for await (const _ of decode(bomb(1000), 100, controller.signal)) controller.abort()
    }
    expect(await failureOf(abort())).toBe('CANCELLED')
  })

  test('passes on an error of its input', async () => {
    const bytes = await one()
    async function* failing() {
      yield bytes.subarray(0, 1000)
      throw new MirrorError('SOURCE_UNREADABLE', 'the disk is gone')
    }
    expect(await failureOf(collect(decoder(failing(), {name: 'a.zst'})))).toBe('SOURCE_UNREADABLE')
  })
})

test('a window over 128 MiB is read by Node itself', async () => {
  const decode = own ?? workerZstd
  const large = collect(decode(inChunks(repeated(18, 10), 10), {name: 'a.zst'}))
  const outcome = await large.then(String, (error: MirrorError) => JSON.stringify(error.advice))
  expect(outcome).toMatch(own === undefined ? /zstd-long-window/ : /^r{10}$/)
})

test.skipIf(lacksTool('zstd')).each(decoders)('%s notices wrong bits', async (_name, decoder) => {
  const bytes = await filter('zstd', ['-q', '-c', '--check'], plain)
  for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 15)) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ 0x20
    const code = await failureOf(collect(decoder(inChunks(damaged, 10_000), {name: 'a.zst'})))
    expect(code).toMatch(/^SOURCE_(?:CORRUPT|TRUNCATED|UNSUPPORTED)$/)
  }
})
