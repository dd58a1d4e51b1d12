import type {Worker} from 'node:worker_threads'
import {compress, lacksTool, seededText} from '@airgap-mirror/test/kit'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {bunzip2} from '#src/codecs/bzip2/decoder.js'
import type {SequentialDecoder} from '#src/codecs/sequential-decoder.js'
import {portableXz} from '#src/codecs/xz/portable-xz.js'
import {workerZstd} from '#src/codecs/zstd/worker-zstd.js'
import {collect, failureOf, filter, inChunks} from './fixtures/packed.js'

const KiB = 1024
const plain = seededText('threads', 300 * KiB)

let started: Worker[] = []
function note(worker: Worker): void {
  started.push(worker)
}
beforeEach(() => {
  started = []
  process.on('worker', note)
})
afterEach(() => {
  process.off('worker', note)
})

function zstd(): Promise<Buffer> {
  return compress(plain, {type: 'zstd'})
}

const codecs: readonly (readonly [string, SequentialDecoder, () => Promise<Buffer>])[] = [
  ['zstd', workerZstd, zstd],
  ['zstd of many frames', workerZstd, () => compress(plain, {type: 'zstd', frameSize: 10 * KiB})],
  ...(lacksTool('bzip2') ? [] : [['bzip2', bunzip2, () => filter('bzip2', ['-c'], plain)] as const]),
  ['xz without a native decoder', portableXz, () => compress(plain, {type: 'xz'})],
]

test.each(codecs)(
  'streams of %s, one after the other, are decoded by one thread',
  async (_codec, decode, pack) => {
    const packed = await pack()
    for (const chunk of [100, 1000, 10_000, packed.length]) {
      expect((await collect(decode(inChunks(packed, chunk), {name: 'a'}))).equals(plain)).toBe(true)
    }
    expect(started.length).toBeLessThanOrEqual(1)
  },
)

test('a thread whose stream is damaged or left early is not used again', async () => {
  const packed = await compress(plain, {type: 'xz'})
  const decode = (bytes: Uint8Array) => portableXz(inChunks(bytes, 1000), {name: 'a'})
  const damaged = Buffer.from(packed)
  const middle = packed.length >> 1
  damaged.writeUInt8(packed.readUInt8(middle) ^ 0xff, middle)
  expect(await failureOf(collect(decode(damaged)))).toBe('SOURCE_CORRUPT')
  for await (const _ of decode(packed)) break
  expect((await collect(decode(packed))).equals(plain)).toBe(true)
  expect(started.length).toBeGreaterThan(1)
})

test('streams that are decoded at once have a thread each, of which two are kept', async () => {
  const packed = await zstd()
  const all = (): Promise<Buffer[]> =>
    Promise.all(Array.from({length: 5}, () => collect(workerZstd(inChunks(packed, 1000), {name: 'a'}))))
  for (const bytes of await all()) expect(bytes.equals(plain)).toBe(true)
  const first = started.length
  for (const bytes of await all()) expect(bytes.equals(plain)).toBe(true)
  expect(started.length - first).toBe(3)
})
