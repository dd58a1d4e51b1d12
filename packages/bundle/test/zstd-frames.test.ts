import {setTimeout} from 'node:timers/promises'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {compress, makeTempDir, seededText, type TempDir} from '@airgap-mirror/test/kit'
import {seekTable} from '#src/codecs/zstd/seek-table.js'
import {openBundle} from '#src/index.js'
import {openBytes} from '#src/unpack/open-bytes.js'
import {literalTar} from './fixtures/literal-tar.js'
import {collect, failureOf, writeTo} from './fixtures/packed.js'
import {descriptor, image, indexJson, OCI_LAYOUT} from './fixtures/parts.js'

const FRAME = 100_000
const FRAMES = 5
const plain = seededText('listed frames', FRAME * FRAMES)
let temp: TempDir

beforeAll(async () => (temp = await makeTempDir()))
afterAll(async () => temp.remove())

/** Writes bytes as frames with a seek table, as "mirror save" does. @param lie is added to the size of the third frame */
async function written(name: string, bytes: Uint8Array, {frameSize = FRAME, lie = 0} = {}): Promise<string> {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length; at += frameSize)
    frames.push(await compress(Buffer.from(bytes.subarray(at, at + frameSize)), {type: 'zstd'}))
  const sizes = frames.map((frame, index) => ({
    packed: frame.length,
    plain: Math.min(frameSize, bytes.length - index * frameSize) + (index === 2 ? lie : 0),
  }))
  return writeTo(temp.path, name, Buffer.concat([...frames, seekTable(sizes)]))
}

test('listed frames of zstd that are read often are decoded one by one, and once', async () => {
  const path = await written('often.zst', plain)
  const scratch = {directory: temp.path}
  await using source = await openBytes({path}, {readOften: true, scratch, memoryBudget: 2 * FRAME})
  expect(source.access).toBe('blocks')
  for (const index of [3, 0, 3, 1, 0]) {
    const frame = plain.subarray(index * FRAME, (index + 1) * FRAME)
    expect((await collect(source.stream(index * FRAME, FRAME))).equals(frame)).toBe(true)
  }
  expect(source.usage.decoded).toBe(3 * FRAME)
  expect((await collect(source.stream(7, plain.length - 7))).equals(plain.subarray(7))).toBe(true)
  expect(source.usage).toEqual({decoded: plain.length, scratchPeak: plain.length})
})

test('listed frames of zstd are read as a stream, if they are read once', async () => {
  await using source = await openBytes({path: await written('once.zst', plain)})
  expect(source.access).toBe('in-order')
  expect((await collect(source.stream(0, plain.length))).equals(plain)).toBe(true)
})

test.for([-1, 1])('a frame of zstd that is %i bytes off its seek table is damaged', async (difference) => {
  const path = await written(`lie${difference}.zst`, plain, {lie: -difference})
  await using source = await openBytes({path}, {readOften: true, scratch: 'never'})
  expect((await collect(source.stream(0, FRAME))).equals(plain.subarray(0, FRAME))).toBe(true)
  expect(await failureOf(collect(source.stream(2 * FRAME, 10)))).toBe('SOURCE_CORRUPT')
})

test('a bundle of zstd that was read often is remembered as a stream for those that read it once', async () => {
  const app = image('app')
  const root = descriptor('application/vnd.oci.image.manifest.v1+json', app.manifest, {
    annotations: {'io.containerd.image.name': 'gcr.io/a/app:v1'},
  })
  const tar = literalTar([...app.blobs, indexJson([root]), OCI_LAYOUT])
  const path = await written('bundle.tar.zst', tar, {frameSize: 1000})
  // The index of a file that changed just now is not remembered.
  await setTimeout(100)
  const kept = new Map<string, Uint8Array>()
  const indexCache = {
    load: async (key: string) => kept.get(key),
    save: async (key: string, bytes: Uint8Array) => void kept.set(key, bytes),
  }
  const open = (readOften: boolean) =>
    openBundle(path, {indexCache, readOften, scratch: {directory: temp.path}})
  const [often, once] = [await open(true), await open(false)]
  expect([kept.size, often.access, once.access]).toEqual([1, 'blocks', 'in-order'])
  for (const source of [often, once]) await source[Symbol.asyncDispose]()
})
