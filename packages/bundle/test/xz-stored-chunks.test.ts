import {crc32} from 'node:zlib'
import * as fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {isMirrorError} from '@airgap-mirror/oci-client/model'
import {compress, requireTool, seededBytes, seededText, timesTried} from '@airgap-mirror/test/kit'
import type {ByteSource} from '#src/bytes/byte-source.js'
import {mapChunks} from '#src/codecs/xz/chunk-map.js'
import {chunkMaps} from '#src/codecs/xz/sparse-block.js'
import {collect, failureOf, filter, memorySource} from './fixtures/packed.js'
import {blocksOf, sparseSource, xzDecoders} from './fixtures/sparse-source.js'

const KiB = 1024
const MiB = 1024 * KiB
const seed = Number(process.env['MIRROR_TEST_SEED'] ?? 20261121)
async function fromXz(plain: Uint8Array, ...args: readonly string[]): Promise<Buffer> {
  return filter('xz', ['-c', ...args], plain)
}

/** Mostly incompressible bytes with texts between, like layers and manifests in a layout. */
const layoutLike = Buffer.concat(
  Array.from({length: 6}, (_, index) => [
    seededBytes(`layer ${index}`, 500 * KiB),
    seededText(`manifest ${index}`, 7 * KiB),
  ]).flat(),
)

function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  return expect(Buffer.compare(actual, expected)).toBe(0)
}

/** Reads like the indexing of a tar. */
async function walk(source: ByteSource, step: number): Promise<void> {
  const size = await source.size()
  for (let at = 0; at < size; at += step) await source.read(at, 512, {unproven: true})
}

const data = fc.array(
  fc.record({
    size: fc.integer({min: 1, max: 200 * KiB}),
    isText: fc.integer({min: 0, max: 3}).map((n) => n === 0),
  }),
  {minLength: 1, maxLength: 8},
)
const settings = fc.tuple(
  fc.constantFrom(
    '-0',
    '-2',
    '-6',
    '-9e',
    ...['pb=0', 'pb=4', 'lc=0,lp=4', 'dict=4KiB', 'lc=4'].map((it) => `--lzma2=${it}`),
  ),
  fc.constantFrom('--block-size=100KiB', '--block-size=1MiB', '-T1'),
  fc.constantFrom('--check=none', '--check=crc32', '--check=crc64', '--check=sha256'),
)
const reads = fc.array(
  fc.record({
    at: fc.double({min: 0, max: 1, noNaN: true}),
    length: fc.oneof(fc.nat(1000), fc.nat(400 * KiB)),
    isSmall: fc.boolean(),
    unproven: fc.boolean(),
  }),
  {minLength: 1, maxLength: 16},
)

describe.each(xzDecoders)('blocks with stored chunks, by %s', (_name, decode) => {
  test('any range of any mixture, packed by xz in any way, has its original bytes', async (context) => {
    requireTool(context, 'xz')
    const budgets = fc.constantFrom(1, 200 * KiB, 8 * MiB)
    const property = fc.asyncProperty(data, settings, reads, budgets, async (parts, args, ranges, budget) => {
      const plain = Buffer.concat(
        parts.map(({size, isText}, index) => (isText ? seededText : seededBytes)(`${index}`, size)),
      )
      const packed = memorySource(await fromXz(plain, ...args))
      await using source = await sparseSource(packed, {decode, budget})
      const readAll = async (): Promise<void> => {
        await Promise.all(
          ranges.map(async ({at, length, isSmall, unproven}) => {
            const offset = Math.floor(at * plain.length)
            const end = Math.min(plain.length, offset + length)
            const got = isSmall
              ? source.read(offset, length, {unproven})
              : collect(source.stream(offset, end - offset, {unproven}))
            expect(Buffer.compare(await got, plain.subarray(offset, end))).toBe(0)
          }),
        )
      }
      await readAll()
      await walk(source, 40 * KiB)
      await readAll()
      expectSame(await collect(source.stream(0, plain.length, {unproven: true})), plain)
    })
    await fc.assert(property, {seed, numRuns: timesTried(12), endOnFailure: true})
  })

  test('are decoded once, for the walk, if all coded bytes fit into the cache', async () => {
    const packed = memorySource(await compress(layoutLike, {type: 'xz', blockSize: 700 * KiB}))
    const decodedWith = async (budget: number): Promise<number> => {
      await using source = await sparseSource(packed, {decode, budget})
      await walk(source, 30 * KiB)
      expectSame(await collect(source.stream(0, layoutLike.length, {unproven: true})), layoutLike)
      return source.usage.decoded
    }
    expect(await decodedWith(1.5 * MiB)).toBeLessThanOrEqual(layoutLike.length)
    expect(await decodedWith(0.3 * MiB)).toBeGreaterThan(1.5 * layoutLike.length)
  })

  test('are not decoded for stored bytes', async () => {
    const noise = seededBytes('noise', 300 * KiB)
    const packed = memorySource(await compress(noise, {type: 'xz', blockSize: 100 * KiB}))
    await using source = await sparseSource(packed, {decode, budget: MiB})
    await walk(source, 10 * KiB)
    expectSame(await collect(source.stream(0, noise.length, {unproven: true})), noise)
    expect(source.usage.decoded).toBe(0)
    expectSame(await source.read(70 * KiB, 60 * KiB), noise.subarray(70 * KiB, 130 * KiB))
    expect(source.usage.decoded).toBe(200 * KiB)
  })

  test('give no wrong byte as proven, no matter which byte is damaged', async () => {
    const {file, plain, coded} = await handmade()
    const whole = {from: 0, to: plain.length}
    let refused = 0
    for (let at = 0; at < file.length; at += 1) {
      const damaged = Buffer.from(file)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
      for (const {from, to} of [coded, whole]) {
        const proven = tryToRead(damaged, async (source) => source.read(from, to - from))
        const bytes = await proven
        if (bytes === undefined) refused += 1
        else expectSame(bytes, plain.subarray(from, to))
      }
      const unproven = await tryToRead(damaged, async (source) =>
        source.read(0, plain.length, {unproven: true}),
      )
      expect(unproven?.length ?? plain.length).toBe(plain.length)
    }
    // Only the padding of the block and of its header may be wrong without an error.
    expect(refused).toBeGreaterThan(1.9 * file.length)
  })

  /** Returns undefined if the file is refused. */
  const tryToRead = async (
    file: Uint8Array,
    read: (source: ByteSource) => Promise<Uint8Array>,
  ): Promise<Uint8Array | undefined> => {
    try {
      await using source = await sparseSource(memorySource(file), {decode, budget: MiB})
      return await read(source)
    } catch (error) {
      if (isMirrorError(error)) return undefined
      throw error
    }
  }
})

describe('the map of a block', () => {
  const mapOf = async (file: Uint8Array): ReturnType<typeof mapChunks> => {
    const packed = memorySource(file)
    const [block] = await blocksOf(packed)
    return block && mapChunks(block, packed, {})
  }

  test('distinguishes stored from coded bytes', async () => {
    const {file, plain, coded} = await handmade()
    const map = await mapOf(file)
    expect(map && {...map, storedAt: [...map.storedAt].map((at) => at > 0)}).toEqual({
      plainStarts: Uint32Array.of(0, coded.from, coded.to),
      storedAt: [true, false, true],
      codedBefore: Uint32Array.of(0, 0, coded.to - coded.from),
      plainSize: plain.length,
      codedSize: coded.to - coded.from,
    })
  })

  test('is not made if most bytes are coded', async () => {
    const text = seededText('text', 300 * KiB)
    expect(
      await mapOf(await compress(Buffer.concat([text, seededBytes('noise', 200 * KiB)]), {type: 'xz'})),
    ).toBe(undefined)
  })

  test('is not made behind other filters', async (context) => {
    requireTool(context, 'xz')
    const noise = seededBytes('noise', 100 * KiB)
    expect(await mapOf(await fromXz(noise, '--lzma2'))).toBeDefined()
    expect(await mapOf(await fromXz(noise, '--delta=dist=4', '--lzma2'))).toBe(undefined)
  })

  test.each<[string, readonly Buffer[], number]>([
    ['which are fewer than the Index says', [storedChunk(1, 'abc')], 4],
    ['which are more than the Index says', [storedChunk(1, 'abcde')], 4],
    ['one of which is none', [storedChunk(1, 'abc'), Buffer.of(0x17, 0, 0, 1)], 4],
    ['after which something follows', [storedChunk(1, 'abcd'), Buffer.of(0, 7)], 4],
    ['the last of which is cut off', [storedChunk(1, 'abc'), Buffer.of(2, 0)], 4],
    [
      'the last of which goes on behind the block',
      [storedChunk(1, 'abc'), Buffer.of(2, 0xff, 0xff, 1)],
      65_539,
    ],
    ['of which there are too many', Array.from({length: 40_000}, () => storedChunk(2, 'x')), 40_000],
  ])('is not made of chunks %s', async (_what, chunks, plainSize) => {
    expect(await mapOf(xzFile(Buffer.concat(chunks), {plainSize, check: Buffer.alloc(4)}))).toBe(undefined)
  })

  test('is made once for all readers, and again after a failed read', async () => {
    const {file} = await handmade()
    const packed = memorySource(file)
    const [block] = await blocksOf(packed)
    if (block === undefined) throw new Error('no block')
    let isBroken = true
    let count = 0
    const read: ByteSource['read'] = async (...args) => {
      count += 1
      if (isBroken) throw new Error('unreadable')
      return packed.read(...args)
    }
    const maps = chunkMaps({...packed, read})
    await expect(maps(block, {})).rejects.toThrow('unreadable')
    isBroken = false
    count = 0
    const left = new AbortController()
    const leaving = failureOf(maps(block, {signal: left.signal}))
    left.abort()
    const [first, second] = await Promise.all([maps(block, {}), maps(block, {})])
    expect(await leaving).toBe('CANCELLED')
    expect(first).toBe(second)
    expect(first).toBeDefined()
    expect(count).toBe(1)
  })
})

function storedChunk(control: number, content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content)
  return Buffer.concat([Buffer.of(control, (bytes.length - 1) >> 8, (bytes.length - 1) & 0xff), bytes])
}

/** Returns a small block with a stored chunk, a coded chunk and another stored chunk, and with a CRC32. */
async function handmade(): Promise<{
  readonly file: Buffer
  readonly plain: Buffer
  readonly coded: {readonly from: number; readonly to: number}
}> {
  const text = Buffer.from('one manifest, two manifests, three manifests; '.repeat(5))
  const noise = [seededBytes('before', 200), seededBytes('after', 150)] as const
  const plain = Buffer.concat([noise[0], text, noise[1]])
  const stream = await compress(text, {type: 'xz', preset: 0, check: 'CHECK_NONE'})
  const headerEnd = 12 + ((stream[12] ?? 0) + 1) * 4
  const coded = stream.subarray(headerEnd, headerEnd + 6 + stream.readUInt16BE(headerEnd + 3) + 1)
  const data = Buffer.concat([storedChunk(1, noise[0]), coded, storedChunk(2, noise[1]), Buffer.of(0)])
  const file = xzFile(data, {plainSize: plain.length, check: crcOf(plain)})
  return {file, plain, coded: {from: 200, to: 200 + text.length}}
}

/** Returns a stream of one block of LZMA2 data, with a check of four bytes and the given sizes. */
function xzFile(
  data: Buffer,
  {plainSize, check}: {readonly plainSize: number; readonly check: Buffer},
): Buffer {
  const flags = Buffer.of(0, 1)
  const header = withCrc(Buffer.of(2, 0, 0x21, 1, 18, 0, 0, 0))
  const unpadded = header.length + data.length + check.length
  const records = Buffer.of(0, 1, ...vli(unpadded), ...vli(plainSize))
  const index = withCrc(Buffer.concat([records, Buffer.alloc(-records.length & 3)]))
  const backward = Buffer.concat([Buffer.alloc(4), flags])
  backward.writeUInt32LE(index.length / 4 - 1)
  return Buffer.concat([
    Buffer.from('fd377a585a00', 'hex'),
    withCrc(flags),
    header,
    data,
    Buffer.alloc(-data.length & 3),
    check,
    index,
    crcOf(backward),
    backward,
    Buffer.from('YZ'),
  ])
}

function vli(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...vli(value >>> 7)]
}

function crcOf(bytes: Uint8Array): Buffer {
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(crc32(bytes))
  return crc
}

function withCrc(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, crcOf(bytes)])
}
