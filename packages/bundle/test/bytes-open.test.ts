import {execFileSync} from 'node:child_process'
import {createReadStream} from 'node:fs'
import {readdir, stat, truncate} from 'node:fs/promises'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {
  compress,
  makeTempDir,
  seededBytes,
  seededText,
  tarBytes,
  type Compression,
  type TempDir,
} from '@airgap-mirror/test/kit'
import {decoders} from '#src/unpack/decoders.js'
import {openBytes, openNested, type OpenBytesOptions} from '#src/unpack/open-bytes.js'
import {indexTar} from '#src/tar/index-tar.js'
import {collect, failureOf, writeTo} from './fixtures/packed.js'

const KiB = 1024
const layer = seededText('open', 700 * KiB)
let temp: TempDir
let tar: Buffer

beforeAll(async () => {
  temp = await makeTempDir()
  tar = await tarBytes([
    {path: 'blobs/a', bytes: layer},
    {path: 'blobs/b', bytes: layer.subarray(0, 1000)},
    {path: 'index.json', bytes: Buffer.from('{}')},
  ])
})
afterAll(async () => temp.remove())

const shapes: readonly (readonly [string, Compression])[] = [
  ['plain', {type: 'none'}],
  ['gzip', {type: 'gzip'}],
  ['gzip of many members', {type: 'gzip', memberSize: 100 * KiB}],
  ['xz of one block', {type: 'xz'}],
  ['xz of many blocks', {type: 'xz', blockSize: 64 * KiB}],
  ['xz of many streams with padding', {type: 'xz', streamSize: 100 * KiB, padding: 4}],
  ['zstd', {type: 'zstd'}],
  ['zstd of many frames', {type: 'zstd', frameSize: 100 * KiB}],
]
const small: OpenBytesOptions = {memoryBudget: 128 * KiB}

describe.each(shapes)('a bundle in %s', (name, compression) => {
  let packed: Buffer
  beforeAll(async () => {
    packed = await compress(tar, compression)
  })
  const written = (): Promise<string> => writeTo(temp.path, `${name}.bin`, packed)

  test('is listed and read by decoding it twice at most, in little memory and without scratch space', async () => {
    await using source = await openBytes({path: await written()}, {scratch: 'never', ...small})
    const {entries} = await indexTar(source)
    expect(entries.map(({path}) => path)).toEqual(['blobs/a', 'blobs/b', 'index.json'])
    for (const entry of entries) {
      const start = entry.offset
      const bytes = await collect(source.stream(start, entry.size))
      expect(bytes.equals(tar.subarray(start, start + entry.size))).toBe(true)
    }
    expect(await source.size()).toBe(tar.length)
    expect(source.usage.decoded).toBeLessThanOrEqual(2 * tar.length)
  })

  test('tells how much of the file was read', async () => {
    const told: (readonly [number, number | undefined])[] = []
    const path = await written()
    const {size} = await stat(path)
    const onReading = (bytes: number, total?: number): void => void told.push([bytes, total])
    await using source = await openBytes({path}, {onReading, scratch: 'never'})
    await collect(source.stream(0, tar.length))
    expect(told.every(([bytes, total]) => bytes <= size && total === size)).toBe(true)
    // A plain archive is not read, but looked up in.
    expect(told.length > 0).toBe(compression.type !== 'none')
    // An xz file's index is read before its only block.
    expect(told.at(-1)?.[0] ?? size).toBeGreaterThan(size - 100)
  })

  test('has the same plain bytes as a stream, kept on scratch disk and gone from it afterwards', async () => {
    await using scratch = await makeTempDir()
    const stream = createReadStream(await written())
    const source = await openBytes({stream, name: 'stdin'}, {scratch: {directory: scratch.path}})
    expect(source.usage.scratchPeak).toBe(tar.length)
    expect((await collect(source.stream(0, tar.length))).equals(tar)).toBe(true)
    await source[Symbol.asyncDispose]()
    expect(await readdir(scratch.path)).toEqual([])
  })

  test('has the same plain bytes inside a file, blocks and a stream, and in two levels', async () => {
    const plain = await tarBytes([{path: 'a', bytes: layer.subarray(0, 130 * KiB)}])
    const inner = await compress(plain, compression)
    const middle = await tarBytes([{path: 'inner', bytes: inner}])
    for (const outer of [{type: 'none'}, {type: 'xz', blockSize: 64 * KiB}, {type: 'gzip'}] as const) {
      const bytes = await compress(
        await tarBytes([
          {path: 'pad', bytes: layer.subarray(0, 5000)},
          {path: 'middle', bytes: middle},
        ]),
        outer,
      )
      await using source = await openBytes(
        {path: await writeTo(temp.path, 'outer.bin', bytes)},
        {scratch: 'never'},
      )
      const outerIndex = await indexTar(source)
      const entry = outerIndex.find('middle')
      if (entry === undefined) throw new Error('no entry')
      await using between = await openNested(source, {
        offset: entry.offset,
        length: entry.size,
        name: 'middle',
      })
      const found = (await indexTar(between)).find('inner')
      if (found === undefined) throw new Error('no entry')
      await using nested = await openNested(
        between,
        {offset: found.offset, length: found.size, name: 'inner'},
        {scratch: 'never'},
      )
      const right = (await collect(nested.stream(0, plain.length))).equals(plain)
      expect([outer.type, right]).toEqual([outer.type, true])
    }
  })

  test('is found to be truncated or corrupt at any cut, and never hangs', async () => {
    for (let length = 1; length < packed.length - 1100; length += Math.ceil(packed.length / 12)) {
      const path = await writeTo(temp.path, 'cut.bin', packed.subarray(0, length))
      for (const options of [{}, {scratch: 'never'}] as const) {
        const read = async (): Promise<void> => {
          await using source = await openBytes({path}, options)
          const {entries} = await indexTar(source)
          for (const entry of entries) await collect(source.stream(entry.offset, entry.size))
          expect(entries.length).toBe(3)
        }
        expect([length, await failureOf(read())]).toEqual([
          length,
          expect.stringMatching(/^SOURCE_(?:TRUNCATED|CORRUPT)$/),
        ])
      }
    }
  })

  test('stops at an abort while it is opened or indexed', async () => {
    const path = await written()
    const signal = AbortSignal.abort()
    expect(await failureOf(openBytes({path}, {signal}))).toBe('CANCELLED')
    await using source = await openBytes({path}, {scratch: 'never'})
    expect(await failureOf(indexTar(source, {signal}))).toBe('CANCELLED')
    expect((await source.read(512, 10)).length).toBe(10)
  })
})

describe('how a bundle is read', () => {
  test('of many blocks: only those with headers for the index, each once', async () => {
    const path = await writeTo(temp.path, 'blocks.xz', await compress(tar, {type: 'xz', blockSize: 32 * KiB}))
    await using source = await openBytes({path}, {memoryBudget: 64 * KiB})
    await indexTar(source)
    expect(source.access).toBe('blocks')
    expect(source.usage.decoded).toBeLessThanOrEqual(3 * 32 * KiB)
    const before = source.usage.decoded
    await collect(source.stream(0, tar.length))
    expect(source.usage.decoded - before).toBeLessThanOrEqual(tar.length)
  })

  test('of many small members in many blocks: each block once, for the index as for reading in order', async () => {
    const files = Array.from({length: 200}, (_, index) => ({
      path: `${index}`,
      bytes: layer.subarray(0, 3000),
    }))
    const many = await tarBytes(files)
    const packed = await compress(many, {type: 'xz', blockSize: 32 * KiB})
    await using source = await openBytes(
      {path: await writeTo(temp.path, 'many.xz', packed)},
      {memoryBudget: 130 * KiB},
    )
    const {entries} = await indexTar(source)
    expect(source.usage.decoded).toBe(many.length)
    for (const entry of entries) await collect(source.stream(entry.offset, entry.size))
    expect(source.usage.decoded).toBeLessThanOrEqual(2 * many.length)
  })

  test('of stored blocks without a walk over its index: decodes nothing that is stored, however many read', async () => {
    const stored = seededBytes('stored', 512 * KiB)
    const packed = await compress(stored, {type: 'xz', blockSize: 128 * KiB})
    const path = await writeTo(temp.path, 'stored.xz', packed)
    await using source = await openBytes({path}, {memoryBudget: 128 * KiB})
    const spans = [0, 100_000, 400_000, 7, stored.length - 1].map((from) => [from, stored.length] as const)
    const read = async ([from, to]: readonly [number, number], reuseChunks: boolean): Promise<void> => {
      let at = from
      for await (const chunk of source.stream(from, to - from, {unproven: true, reuseChunks})) {
        expect(stored.subarray(at, at + chunk.length).equals(chunk)).toBe(true)
        at += chunk.length
      }
      expect(at).toBe(to)
    }
    await Promise.all([true, false].flatMap((reuse) => spans.map((span) => read(span, reuse))))
    expect(source.usage.decoded).toBe(0)
  })

  test('of many blocks by 20 readers at once: each block once for all of them', async () => {
    const path = await writeTo(temp.path, 'shared.xz', await compress(tar, {type: 'xz', blockSize: 64 * KiB}))
    await using source = await openBytes({path}, {memoryBudget: 128 * KiB})
    const whole = {unproven: true, reuseChunks: true}
    const readers = Array.from({length: 20}, async () => {
      let size = 0
      for await (const chunk of source.stream(0, tar.length, whole)) size += chunk.length
      return size
    })
    expect(new Set(await Promise.all(readers))).toEqual(new Set([tar.length]))
    expect(source.usage.decoded).toBe(tar.length)
  })

  test('of one stream: once with scratch space, twice without', async () => {
    const path = await writeTo(temp.path, 'one.gz', await compress(tar, {type: 'gzip'}))
    const notes: string[] = []
    await using kept = await openBytes({path}, {onNote: (text) => notes.push(text)})
    await kept.size()
    expect([kept.access, kept.usage.scratchPeak, notes.length]).toEqual(['random', tar.length, 1])
    await using twice = await openBytes({path}, {scratch: 'never'})
    await indexTar(twice)
    await collect(twice.stream(0, tar.length))
    expect([twice.access, twice.usage]).toEqual(['in-order', {decoded: 2 * tar.length, scratchPeak: 0}])
  })

  test('falls back to reading twice if the scratch directory cannot be used', async () => {
    const path = await writeTo(temp.path, 'fall.gz', await compress(tar, {type: 'gzip'}))
    const notes: string[] = []
    const options = {
      scratch: {directory: join(temp.path, 'missing')},
      onNote: (text: string) => notes.push(text),
    }
    await using source = await openBytes({path}, options)
    expect(source.access).toBe('in-order')
    expect(notes.at(-1)).toContain('read twice')
  })

  test('names the libraries in use', async () => {
    const {xz, zstd} = await decoders()
    expect(['node-liblzma', 'lzma-native']).toContain(xz)
    expect(['node', 'wasm']).toContain(zstd)
  })
})

describe('an unreadable input', () => {
  test('is a file that is not there, or a directory', async () => {
    expect(await failureOf(openBytes({path: join(temp.path, 'missing')}))).toBe('SOURCE_UNREADABLE')
    expect(await failureOf(openBytes({path: temp.path}))).toBe('SOURCE_UNREADABLE')
  })

  test.each([
    ['lz4', Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x64])],
    ['zip', Buffer.from('PK\x03\x04')],
  ])('is %s, with advice to decompress it', async (name, bytes) => {
    const path = await writeTo(temp.path, 'unsupported.bin', bytes)
    await expect(openBytes({path})).rejects.toMatchObject({
      code: 'SOURCE_UNSUPPORTED',
      message: expect.stringContaining(name),
      advice: {kind: 'decompress', compression: name},
    })
  })

  test('is a stream that may not be kept, and one that fails', async () => {
    const stream = Readable.from([tar])
    expect(await failureOf(openBytes({stream, name: 'stdin'}, {scratch: 'never'}))).toBe('SOURCE_UNSUPPORTED')
    const broken = new Readable({read: () => broken.destroy(new Error('gone'))})
    expect(await failureOf(openBytes({stream: broken, name: 'stdin'}))).toBe('SOURCE_UNREADABLE')
  })

  test('is nested too deep', async () => {
    await using source = await openBytes({path: await writeTo(temp.path, 'deep.tar', tar)})
    const deeper = async (): Promise<void> => {
      for (let inner = source; ;) inner = await openNested(inner, {offset: 0, length: 1000, name: 'inner'})
    }
    expect(await failureOf(deeper())).toBe('LIMIT_EXCEEDED')
  })

  test('is a file that becomes shorter while it is read', async () => {
    const path = await writeTo(temp.path, 'shrinks.tar', tar)
    await using source = await openBytes({path})
    await truncate(path, 10_000)
    expect(await failureOf(collect(source.stream(0, tar.length)))).toBe('SOURCE_TRUNCATED')
  })

  test('is read from a named pipe like a stream', async () => {
    const path = join(temp.path, 'pipe')
    execFileSync('mkfifo', [path])
    const file = await writeTo(temp.path, 'piped.xz', await compress(tar, {type: 'xz'}))
    const {spawn} = await import('node:child_process')
    const writer = spawn('dd', [`if=${file}`, `of=${path}`], {stdio: 'ignore'})
    await using source = await openBytes({path})
    expect((await collect(source.stream(0, tar.length))).equals(tar)).toBe(true)
    expect(writer.pid).toBeDefined()
  })
})
