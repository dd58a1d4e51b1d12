import {describe, expect, test} from 'vitest'
import {compress, lacksTool, seededText, type XzOptions} from '@airgap-mirror/test/kit'
import {unknownFilter} from '#src/codecs/xz/block-header.js'
import {readBlockTable} from '#src/codecs/xz/block-table.js'
import {failureOf, filter} from './fixtures/packed.js'

const KiB = 1024
const plain = seededText('block table', 300 * KiB)

async function tableOf(bytes: Uint8Array) {
  return readBlockTable({
    name: 'a.xz',
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  })
}

async function xz(options: Omit<XzOptions, 'type'>): Promise<Buffer> {
  return compress(plain, {type: 'xz', ...options})
}

describe('the block table', () => {
  test.each<[string, Omit<XzOptions, 'type'>, number]>([
    ['one block', {}, 1],
    ['blocks of 64 KiB', {blockSize: 64 * KiB}, 5],
    ['two streams', {streamSize: 200 * KiB}, 2],
    ['streams of blocks with padding', {streamSize: 150 * KiB, blockSize: 64 * KiB, padding: 8}, 6],
    ['a stream with much padding', {padding: 200_000}, 1],
  ])('of %s covers every plain byte', async (_what, options, count) => {
    const {blocks, plainSize} = await tableOf(await xz(options))
    expect(plainSize).toBe(plain.length)
    expect(blocks.length).toBe(count)
    let offset = 0
    for (const block of blocks) {
      expect(block.plainOffset).toBe(offset)
      offset += block.plainSize
    }
    expect(offset).toBe(plainSize)
  })

  test.skipIf(lacksTool('xz')).each(['none', 'crc32', 'crc64', 'sha256'])(
    'is read with --check=%s, by xz written',
    async (check) => {
      const bytes = await filter('xz', ['-c', '-T2', '--block-size=65536', `--check=${check}`], plain)
      expect((await tableOf(bytes)).blocks.length).toBe(5)
    },
  )

  test.skipIf(lacksTool('xz'))('of an empty file has no blocks', async () => {
    expect(await tableOf(await filter('xz', ['-c'], new Uint8Array()))).toEqual({blocks: [], plainSize: 0})
  })

  test.skipIf(lacksTool('xz'))('leaves out streams and blocks without content', async () => {
    const empty = await filter('xz', ['-c'], new Uint8Array())
    const {blocks} = await tableOf(Buffer.concat([empty, await xz({}), empty, Buffer.alloc(4)]))
    expect(blocks.length).toBe(1)
  })
})

describe('a damaged file', () => {
  test('that is cut anywhere is truncated or corrupt, never read as complete', async () => {
    const bytes = await xz({blockSize: 64 * KiB, streamSize: 150 * KiB, padding: 4})
    for (let length = 0; length < bytes.length; length += 97) {
      const outcome = await tableOf(bytes.subarray(0, length)).then(
        ({plainSize}) => `${plainSize} bytes`,
        ({code}: {readonly code: string}) => code,
      )
      // A cut right after the first stream or its padding leaves a complete file.
      expect(outcome).toMatch(/^(?:SOURCE_TRUNCATED|SOURCE_CORRUPT|153600 bytes)$/)
    }
  })

  test('with one bit wrong in Index, footer or header is noticed', async () => {
    const bytes = await xz({blockSize: 64 * KiB})
    const indexBytes = (bytes.readUInt32LE(bytes.length - 8) + 1) * 4
    const tail = Array.from({length: indexBytes + 12}, (_, index) => bytes.length - 1 - index)
    const head = Array.from({length: 12}, (_, index) => index)
    for (const at of [...tail, ...head]) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ 0x10
      expect(await failureOf(tableOf(damaged))).toMatch(/^SOURCE_(?:TRUNCATED|CORRUPT)$/)
    }
  })

  test('with bytes after its end, or padding that is no multiple of four, is refused', async () => {
    const bytes = await xz({})
    expect(await failureOf(tableOf(Buffer.concat([bytes, Buffer.from('more')])))).toBe('SOURCE_TRUNCATED')
    expect(await failureOf(tableOf(Buffer.concat([bytes, Buffer.alloc(3)])))).toBe('SOURCE_TRUNCATED')
  })

  test('that is nothing but zeros is refused', async () => {
    expect(await failureOf(tableOf(Buffer.alloc(4096)))).toBe('SOURCE_TRUNCATED')
  })
})

test('a filter that a decoder does not know is named, and one that it knows is not', () => {
  // The header of a block with the filters ARM64 and LZMA2.
  const header = Uint8Array.from([2, 1, 0x0a, 0, 0x21, 1, 0x16, 0, 0, 0, 0, 0])
  expect(unknownFilter(header, 'lzma-native')).toBe('ARM64')
  expect(unknownFilter(header, 'node-liblzma')).toBeUndefined()
  expect(unknownFilter(header.with(2, 0x0b), 'node-liblzma')).toBe('RISC-V')
  expect(unknownFilter(header.with(2, 0x04), 'portable')).toBe('x86')
  expect(unknownFilter(header.with(2, 0x04), 'lzma-native')).toBeUndefined()
})
