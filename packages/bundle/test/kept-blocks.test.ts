import {readdir} from 'node:fs/promises'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {compress, makeTempDir, seededText, type TempDir} from '@airgap-mirror/test/kit'
import type {ByteSource} from '#src/bytes/byte-source.js'
import {openBytes, type OpenBytesOptions} from '#src/unpack/open-bytes.js'
import {ScratchRoom} from '#src/unpack/scratch-room.js'
import {collect, writeTo} from './fixtures/packed.js'

const KiB = 1024
const BLOCK = 600 * KiB
const BLOCKS = 6
const plain = seededText('kept blocks', BLOCK * BLOCKS)

describe('decoded blocks that are kept in scratch', () => {
  let temp: TempDir
  let path: string
  beforeAll(async () => {
    temp = await makeTempDir()
    path = await writeTo(temp.path, 'a.xz', await compress(plain, {type: 'xz', blockSize: BLOCK}))
  })
  afterAll(async () => temp.remove())

  /** Opens the file with memory for two blocks. */
  async function opened(options: OpenBytesOptions = {}): Promise<ByteSource> {
    const scratch = {directory: temp.path}
    return openBytes({path}, {readOften: true, scratch, memoryBudget: 2 * BLOCK, threads: 2, ...options})
  }

  async function readBlock(source: ByteSource, index: number): Promise<void> {
    const bytes = await collect(source.stream(index * BLOCK, BLOCK))
    expect(bytes.equals(plain.subarray(index * BLOCK, (index + 1) * BLOCK))).toBe(true)
  }

  test('are decoded once, however many readers there are and in whatever order they come', async () => {
    await using source = await opened()
    const all = Array.from({length: 4 * BLOCKS}, (_, step) => (step * 5) % BLOCKS)
    await Promise.all(all.map((index) => readBlock(source, index)))
    for (const index of all.toReversed()) await readBlock(source, index)
    expect(
      (await collect(source.stream(1000, plain.length - 2000))).equals(plain.subarray(1000, -1000)),
    ).toBe(true)
    expect(source.usage).toEqual({decoded: plain.length, scratchPeak: plain.length})
  })

  test('lie in a file without a name, so that a killed process leaves nothing', async () => {
    await using source = await opened()
    await readBlock(source, 0)
    expect(source.usage.scratchPeak).toBe(BLOCK)
    expect(await readdir(temp.path)).toEqual(['a.xz'])
  })

  test('make room for others when the room ends, the block that was read longest ago first', async () => {
    const notes: string[] = []
    const scratch = {directory: temp.path, room: new ScratchRoom(3 * BLOCK)}
    await using source = await opened({
      scratch,
      memoryBudget: BLOCK,
      threads: 1,
      onNote: (text) => notes.push(text),
    })
    for (const index of [0, 1, 2, 0, 3]) await readBlock(source, index)
    // Block 1 was given up.
    for (const index of [0, 2, 3]) await readBlock(source, index)
    expect(source.usage.decoded).toBe(4 * BLOCK)
    await readBlock(source, 1)
    expect(source.usage).toEqual({decoded: 5 * BLOCK, scratchPeak: 3 * BLOCK})
    expect(notes).toEqual([expect.stringContaining('it may be decoded again: no room is left')])
  })

  test('give their room back when the source is closed', async () => {
    const room = new ScratchRoom(2 * BLOCK)
    await using source = await opened({scratch: {directory: temp.path, room}})
    await readBlock(source, 0)
    expect(room.has(2 * BLOCK)).toBe(false)
    await source[Symbol.asyncDispose]()
    expect(room.has(2 * BLOCK)).toBe(true)
  })

  test.for([
    ['a directory that is not there', {directory: '/nowhere/at/all'}],
    ['no room', {directory: '/tmp', room: new ScratchRoom(0)}],
    ['no scratch allowed', 'never'],
  ] as const)('are decoded again with %s', async ([, scratch]) => {
    await using source = await opened({scratch, memoryBudget: BLOCK, threads: 1})
    for (const index of [0, 1, 0, 1]) await readBlock(source, index)
    expect(source.usage).toEqual({decoded: 4 * BLOCK, scratchPeak: 0})
  })

  test.for([
    ['in scratch', {}],
    ['in memory alone', {scratch: 'never'}],
  ] as const)('%s are not taken from others by readers that stand still', async ([, options]) => {
    await using source = await opened(options)
    const still = Array.from({length: BLOCKS}, (_, index) =>
      source.stream(index * BLOCK, BLOCK, {reuseChunks: true})[Symbol.asyncIterator](),
    )
    const firsts = await Promise.all(still.map((reader) => reader.next()))
    const sizes = firsts.map(({value}) => value?.length ?? 0)
    expect(sizes.every((size) => size > 0)).toBe(true)
    await Promise.all(still.map((_, index) => readBlock(source, index)))
    // Those that stood still get the rest, too.
    for (const [index, reader] of still.entries()) {
      let size = sizes[index] ?? 0
      for (let next = await reader.next(); next.done !== true; next = await reader.next())
        size += next.value.length
      expect({index, size}).toEqual({index, size: BLOCK})
    }
  })

  test('reach a reader that proves them itself before the rest of their block is decoded', async () => {
    await using source = await opened({threads: 1})
    const some = await collect(source.stream(0, 1000, {unproven: true}))
    expect(some.equals(plain.subarray(0, 1000))).toBe(true)
    await readBlock(source, 0)
    expect(source.usage.decoded).toBe(BLOCK)
  })
})
