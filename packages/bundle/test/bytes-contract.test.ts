import {open} from 'node:fs/promises'
import {Readable} from 'node:stream'
import {compress, makeTempDir, type Compression, type TempDir} from '@airgap-mirror/test/kit'
import {afterAll, beforeAll} from 'vitest'
import type {ByteSource} from '#src/bytes/byte-source.js'
import {fileBytes} from '#src/bytes/file-bytes.js'
import {LazyBytes} from '#src/bytes/lazy-bytes.js'
import {sliceBytes} from '#src/bytes/slice-bytes.js'
import {sparseBytes} from '#src/bytes/sparse-bytes.js'
import {watchedBytes} from '#src/bytes/watched-bytes.js'
import {openBytes, openNested, type OpenBytesOptions} from '#src/unpack/open-bytes.js'
import {openVolumes} from '#src/volumes/volume-bytes.js'
import {byteSourceContract, hole, plain} from './bytes-contract.js'
import {filter, memorySource, writeTo} from './fixtures/packed.js'

const KiB = 1024
let temp: TempDir
beforeAll(async () => (temp = await makeTempDir()))
afterAll(async () => temp.remove())

async function file(bytes: Uint8Array = plain): Promise<ByteSource> {
  const path = await writeTo(temp.path, 'file', bytes)
  return fileBytes(await open(path), {name: path, size: bytes.length})
}

/** Returns a source that closes the one below it, too. */
function owning(below: ByteSource, source: ByteSource): ByteSource {
  const close = source[Symbol.asyncDispose].bind(source)
  return Object.assign(source, {
    [Symbol.asyncDispose]: async () => {
      await close()
      await below[Symbol.asyncDispose]()
    },
  })
}

byteSourceContract('memory', async () => memorySource(plain))
byteSourceContract('a file', () => file())
byteSourceContract('several volumes', async () => {
  const parts = [plain.subarray(0, 500_000), plain.subarray(500_000, 500_001), plain.subarray(500_001)]
  const volumes = []
  for (const [index, part] of parts.entries())
    volumes.push({path: await writeTo(temp.path, `volume.${index}`, part), size: part.length})
  return openVolumes({name: 'volume', size: plain.length, volumes})
})
byteSourceContract('a range of a file', async () => {
  const whole = await file(Buffer.concat([Buffer.alloc(513, 1), plain, Buffer.alloc(9, 2)]))
  return owning(whole, sliceBytes(whole, {offset: 513, length: plain.length, name: 'range'}))
})
byteSourceContract('a sparse file', async () => {
  const stored = await file(Buffer.concat([plain.subarray(0, hole.from), plain.subarray(hole.to)]))
  const parts = [
    {at: 0, offset: 0, length: hole.from},
    {at: hole.to, offset: hole.from, length: plain.length - hole.to},
  ]
  return owning(stored, sparseBytes(stored, {name: 'sparse', size: plain.length, parts}))
})
byteSourceContract('a file that is watched', async () =>
  watchedBytes(await file(), {size: plain.length, onReading: () => {}}),
)
byteSourceContract(
  'a file that the first read opens',
  async () => new LazyBytes({name: 'lazy', access: 'random', size: plain.length, open: () => file()}),
)
byteSourceContract('a stream that is kept', () =>
  openBytes({stream: Readable.from([plain]), name: 'stdin'}, {scratch: {directory: temp.path}}),
)

const never = {scratch: 'never'} as const
const packed: Readonly<Record<string, readonly [Compression | 'bzip2', OpenBytesOptions]>> = {
  'gzip, kept in scratch': [{type: 'gzip', memberSize: 100 * KiB}, {}],
  'gzip, decoded again and again': [{type: 'gzip', memberSize: 100 * KiB}, never],
  'bzip2, kept in scratch': ['bzip2', {}],
  'zstd, decoded again and again': [{type: 'zstd', frameSize: 300 * KiB}, never],
  'zstd, kept in scratch': [{type: 'zstd', frameSize: 300 * KiB}, {readOften: true}],
  'xz of one block, kept in scratch': [{type: 'xz'}, {memoryBudget: 64 * KiB}],
  'xz of one block that fits in memory': [{type: 'xz'}, never],
  'xz of one block that does not': [{type: 'xz'}, {...never, memoryBudget: 64 * KiB}],
  'xz of many blocks': [{type: 'xz', blockSize: 100 * KiB}, never],
  'xz of many blocks, kept in scratch': [
    {type: 'xz', blockSize: 100 * KiB},
    {readOften: true, memoryBudget: 128 * KiB},
  ],
  'xz of many blocks and little memory': [
    {type: 'xz', blockSize: 100 * KiB},
    {...never, memoryBudget: 128 * KiB},
  ],
}
const made = new Map<string, Promise<Buffer>>()
function packedBytes(compression: Compression | 'bzip2'): Promise<Buffer> {
  const key = JSON.stringify(compression)
  const known = made.get(key)
  if (known !== undefined) return known
  const bytes = compression === 'bzip2' ? filter('bzip2', [], plain) : compress(plain, compression)
  made.set(key, bytes)
  return bytes
}
for (const [name, [compression, options]] of Object.entries(packed)) {
  byteSourceContract(name, async () =>
    openBytes({path: await writeTo(temp.path, 'packed', await packedBytes(compression))}, options),
  )
}
for (const outer of [{type: 'xz', blockSize: 200 * KiB}, {type: 'gzip'}] as const) {
  byteSourceContract(`xz in ${outer.type}`, async () => {
    const inner = await packedBytes({type: 'xz', blockSize: 100 * KiB})
    const around = Buffer.concat([Buffer.alloc(512), inner])
    const path = await writeTo(temp.path, 'nested', await compress(around, outer))
    const whole = await openBytes({path}, {...never, memoryBudget: 512 * KiB})
    const range = {offset: 512, length: inner.length, name: 'inner'}
    return owning(whole, await openNested(whole, range, never))
  })
}
