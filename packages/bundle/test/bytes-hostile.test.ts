import {gzipSync} from 'node:zlib'
import {beforeAll, afterAll, describe, expect, test} from 'vitest'
import {
  compress,
  makeTempDir,
  seededText,
  tarBytes,
  type Compression,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {openBytes} from '#src/unpack/open-bytes.js'
import {indexTar} from '#src/tar/index-tar.js'
import {oneBlockTail, roundUp4, streamHeader} from '#src/codecs/xz/container.js'
import {readBlockTable} from '#src/codecs/xz/block-table.js'
import {collect, failureOf, writeTo} from './fixtures/packed.js'

const KiB = 1024
const MiB = 1024 * KiB
let temp: TempDir
beforeAll(async () => (temp = await makeTempDir()))
afterAll(async () => temp.remove())

/** Opens a bundle, lists it and reads each content, as a run does. */
async function readWhole(bytes: Uint8Array): Promise<void> {
  const path = await writeTo(temp.path, 'hostile', bytes)
  await using source = await openBytes({path}, {scratch: 'never', memoryBudget: 64 * KiB})
  const {entries} = await indexTar(source)
  for (const entry of entries) await collect(source.stream(entry.offset, entry.size))
}

describe('one wrong bit', () => {
  const shapes: readonly Compression[] = [
    {type: 'gzip'},
    {type: 'xz', blockSize: 32 * KiB},
    {type: 'xz'},
    {type: 'zstd', frameSize: 50 * KiB},
  ]
  test.each(shapes)(
    'anywhere in %j gives the right bytes or a coded error, and no hang',
    async (compression) => {
      const tar = await tarBytes([
        {path: 'a', bytes: seededText('bits', 150 * KiB)},
        {path: 'index.json', bytes: Buffer.from('[]')},
      ])
      const bytes = await compress(tar, compression)
      for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 40)) {
        const damaged = Buffer.from(bytes)
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
        expect(await failureOf(readWhole(damaged))).toMatch(/^(?:none|SOURCE_[A-Z]+|LIMIT_EXCEEDED)$/)
      }
    },
  )
})

describe('an xz Index that lies', () => {
  const relabelled = async (change: (size: number) => number): Promise<Buffer> => {
    const bytes = await compress(seededText('lies', 100 * KiB), {type: 'xz'})
    const table = await readBlockTable({
      name: 'a',
      size: bytes.length,
      read: async (offset, length) => bytes.subarray(offset, offset + length),
    })
    const [block] = table.blocks
    if (block === undefined) throw new Error('no block')
    const packed = bytes.subarray(block.packedOffset, block.packedOffset + roundUp4(block.unpaddedSize))
    const tail = oneBlockTail({...block, plainSize: change(block.plainSize)})
    return Buffer.concat([streamHeader(block.flags), packed, tail])
  }

  test.each<[string, (size: number) => number]>([
    ['one byte less', (size) => size - 1],
    ['one byte more', (size) => size + 1],
    ['next to nothing', () => 1],
    ['a gibibyte', () => 1024 * MiB],
    ['petabytes', () => 2 ** 52],
  ])('with %s is refused', async (_what, change) => {
    const path = await writeTo(temp.path, 'lies.xz', await relabelled(change))
    const read = async (): Promise<void> => {
      await using source = await openBytes({path}, {memoryBudget: 2000 * MiB})
      await collect(source.stream(0, await source.size()))
    }
    expect(await failureOf(read())).toMatch(/^SOURCE_(?:CORRUPT|TRUNCATED)$/)
  })

  test('is read if it does not lie', async () => {
    const path = await writeTo(temp.path, 'true.xz', await relabelled((size) => size))
    await using source = await openBytes({path})
    expect((await collect(source.stream(0, 100 * KiB))).equals(seededText('lies', 100 * KiB))).toBe(true)
  })
})

describe('a bomb', () => {
  const zeros = Buffer.alloc(200 * MiB)

  test.each<[string, () => Promise<Buffer>]>([
    ['gzip', async () => gzipSync(zeros, {level: 1})],
    ['xz', async () => compress(zeros, {type: 'xz', preset: 0})],
    ['zstd', async () => compress(zeros, {type: 'zstd', level: 1})],
  ])('of %s is passed through in little memory', async (_name, make) => {
    const path = await writeTo(temp.path, 'bomb', await make())
    await using source = await openBytes({path}, {scratch: 'never', memoryBudget: MiB})
    const before = process.memoryUsage.rss()
    let peak = 0
    const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 5)
    expect(await source.size()).toBe(zeros.length)
    clearInterval(timer)
    expect((peak - before) / MiB).toBeLessThan(150)
  })
})
