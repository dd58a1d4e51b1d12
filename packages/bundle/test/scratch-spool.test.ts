import {readdir} from 'node:fs/promises'
import {describe, expect, test} from 'vitest'
import {MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import {makeTempDir, seededBytes} from '@airgap-mirror/test/kit'
import {hasRoomFor, type Scratch} from '#src/unpack/scratch-file.js'
import {ScratchRoom} from '#src/unpack/scratch-room.js'
import {Spool, type SpoolOptions} from '#src/unpack/spool.js'
import {collect, failureOf, inChunks, memorySource} from './fixtures/packed.js'

const plain = seededBytes('spool', 100_000)

function spool(bytes: Bytes, scratch: Scratch, options: Partial<SpoolOptions> = {}): Spool {
  return new Spool({name: 'a', usage: {decoded: 0, scratchPeak: 0}, plain: () => bytes, scratch, ...options})
}

/** Yields the first bytes, and the others when it is told to go on, or an error. */
function paused(first: number): {readonly bytes: Bytes; readonly goOn: (error?: MirrorError) => void} {
  let goOn: (error?: MirrorError) => void = () => {}
  const told = new Promise<MirrorError | undefined>((resolve) => (goOn = resolve))
  async function* bytes(): Bytes {
    yield plain.subarray(0, first)
    const error = await told
    if (error !== undefined) throw error
    yield plain.subarray(first)
  }
  return {bytes: bytes(), goOn}
}

describe('the spool', () => {
  test('gives random access to a stream, and leaves no file that a crash could leave behind', async () => {
    await using directory = await makeTempDir()
    await using source = spool(inChunks(plain, 777), {directory: directory.path})
    expect(await source.size()).toBe(plain.length)
    expect(await readdir(directory.path)).toEqual([])
    expect(source.access).toBe('random')
    expect((await collect(source.stream(5000, 50_000))).equals(plain.subarray(5000, 55_000))).toBe(true)
    expect(Buffer.from(await source.read(99_990, 100)).equals(plain.subarray(99_990))).toBe(true)
    expect(source.usage.scratchPeak).toBe(plain.length)
  })

  test('gives bytes as soon as they have passed, and makes readers of others wait', async () => {
    await using directory = await makeTempDir()
    const {bytes, goOn} = paused(60_000)
    await using source = spool(bytes, {directory: directory.path})
    const across = collect(source.stream(50_000, 20_000))
    const behind = source.read(80_000, 10)
    expect((await collect(source.stream(10_000, 50_000))).equals(plain.subarray(10_000, 60_000))).toBe(true)
    goOn()
    expect((await across).equals(plain.subarray(50_000, 70_000))).toBe(true)
    expect(Buffer.from(await behind).equals(plain.subarray(80_000, 80_010))).toBe(true)
  })

  test('passes on the failure of its stream to readers behind it, and keeps what passed before', async () => {
    await using directory = await makeTempDir()
    const {bytes, goOn} = paused(60_000)
    await using source = spool(bytes, {directory: directory.path})
    const across = failureOf(collect(source.stream(50_000, 20_000)))
    goOn(new MirrorError('SOURCE_CORRUPT', 'broken'))
    expect(await across).toBe('SOURCE_CORRUPT')
    expect(await failureOf(source.size())).toBe('SOURCE_CORRUPT')
    expect((await collect(source.stream(0, 60_000))).equals(plain.subarray(0, 60_000))).toBe(true)
  })

  test('lets its readers leave at an abort, and stops when it is closed', async () => {
    await using directory = await makeTempDir()
    const {bytes, goOn} = paused(10)
    await using source = spool(bytes, {directory: directory.path})
    const left = new AbortController()
    const leaving = failureOf(source.size({signal: left.signal}))
    left.abort()
    expect(await leaving).toBe('CANCELLED')
    const waiting = failureOf(source.size())
    const closing = source[Symbol.asyncDispose]()
    goOn()
    await closing
    expect(await waiting).toBe('CANCELLED')
    expect(await failureOf(source.read(0, 1))).toBe('CANCELLED')
    expect(await readdir(directory.path)).toEqual([])
  })

  test('names the directory that cannot be written to', async () => {
    const scratch = {directory: '/nowhere/at/all'}
    await using source = spool(inChunks(plain, 10), scratch)
    await expect(source.size()).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      message: expect.stringContaining('/nowhere/at/all'),
    })
    expect(await hasRoomFor(1, scratch)).toBe(false)
  })

  test('is given up when scratch is full, and its readers go on with another source', async () => {
    await using directory = await makeTempDir()
    const room = new ScratchRoom(60_000)
    const {bytes, goOn} = paused(60_000)
    const told: string[] = []
    const instead = ({code}: MirrorError) => {
      told.push(code)
      return memorySource(plain, 'in-order')
    }
    await using source = spool(bytes, {directory: directory.path, room}, {instead})
    const slow = source.stream(0, plain.length)[Symbol.asyncIterator]()
    const first = await slow.next()
    expect(first.value?.length).toBe(60_000)
    goOn()
    const rest = await collect({[Symbol.asyncIterator]: () => slow})
    expect(rest.equals(plain.subarray(60_000))).toBe(true)
    expect(Buffer.from(await source.read(99_990, 10)).equals(plain.subarray(99_990))).toBe(true)
    expect([source.access, await source.size(), told]).toEqual(['in-order', plain.length, ['SCRATCH_FULL']])
    expect(room.has(60_000)).toBe(true)
  })

  test('counts free space, with a reserve for others', async () => {
    await using directory = await makeTempDir()
    expect(await hasRoomFor(Number.MAX_SAFE_INTEGER, {directory: directory.path})).toBe(false)
    expect(await hasRoomFor(2, {directory: directory.path, room: new ScratchRoom(1)})).toBe(false)
  })
})
