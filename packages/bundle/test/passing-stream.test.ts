import {createReadStream} from 'node:fs'
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import type {BlobSource} from '@airgap-mirror/oci-client/model'
import {compress, makeImage, ociLayout, tarBytes} from '@airgap-mirror/test/kit'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {openBundle, type BundleSource} from '#src/index.js'
import {errorOf, rootDigests} from './fixtures/opened.js'
import {save} from './save-kit.js'

const LARGE = 3_000_000
const app = await makeImage({seed: 'passing-app', content: 'random', layerSize: LARGE, layers: 2})
const tool = await makeImage({seed: 'passing-tool', platforms: ['linux/amd64', 'linux/arm64'], layers: 1})
const sbom = await makeImage({
  seed: 'passing-sbom',
  layers: 1,
  subject: app.root.descriptor,
  artifactType: 'application/spdx+json',
})
const images = [
  {image: app, name: 'docker.io/library/app:v1'},
  {image: tool, name: 'docker.io/library/tool:v1'},
  {image: sbom},
]
const CODECS = ['plain', 'gzip', 'zstd', 'xz'] as const

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-passing-'))
  for (const codec of CODECS) {
    await save({kind: 'file', path: at(codec)}, images, {directory, codec, dockerCompatible: true})
  }
})
afterAll(() => rm(directory, {recursive: true, force: true}))

function at(name: string): string {
  return join(directory, name)
}

function opened(stdin: Readable, options = {}): Promise<BundleSource> {
  return openBundle('-', {stdin, onePass: true, scratch: 'never', ...options})
}

/** Chunks of an odd size, as a pipe may deliver them. */
async function streamOf(name: string, size = 10_007): Promise<Readable> {
  const bytes = await readFile(at(name))
  const count = Math.ceil(bytes.length / size)
  return Readable.from(
    Array.from({length: count}, (_, index) => bytes.subarray(index * size, (index + 1) * size)),
  )
}

/** The blobs of a source in its order. */
function blobsOf(source: BundleSource): readonly BlobSource[] {
  return [app, tool, sbom]
    .flatMap(({blobs}) => blobs)
    .map(({descriptor}) => source.blob(descriptor))
    .toSorted((left, right) => (left.position ?? 0) - (right.position ?? 0))
}

async function sizeOf(blob: BlobSource, offset = 0): Promise<number> {
  let size = 0
  for await (const chunk of blob.open({offset})) size += chunk.length
  return size
}

test.each(CODECS)(
  'a saved bundle of codec %s is read from a stream in one pass, without scratch',
  async (codec) => {
    await using source = await opened(createReadStream(at(codec)))
    expect(source.access).toBe('in-order')
    await using whole = await openBundle(at(codec))
    expect(rootDigests(await source.images())).toEqual(rootDigests(await whole.images()))
    for (const blob of blobsOf(source)) expect(await sizeOf(blob)).toBe(blob.content.size)
    expect(await source.readToEnd()).toEqual({files: 0, strayBytes: 0})
    expect(source.usage.scratchPeak).toBe(0)
  },
)

test('blobs that nobody opens are passed over, and many may be open at once', async () => {
  await using source = await opened(await streamOf('plain'))
  const wanted = blobsOf(source).filter((_, index) => index % 2 === 1)
  const released = wanted.map((blob) => blob.hold?.())
  // Opened in the opposite order: the stream waits for those that were announced.
  const sizes = await Promise.all(wanted.toReversed().map((blob) => sizeOf(blob)))
  for (const release of released) release?.()
  expect(sizes).toEqual(wanted.toReversed().map(({content}) => content.size))
})

test('a blob that is being sent can be opened again at any offset while it is kept', async () => {
  await using source = await opened(await streamOf('plain'))
  const blob = source.blob(
    app.blobs.find(({descriptor}) => descriptor.size > LARGE / 2)?.descriptor ?? app.root.descriptor,
  )
  const letGo = blob.keep?.()
  const iterator = blob.open()[Symbol.asyncIterator]()
  for (let read = 0; read < LARGE / 3;) read += ((await iterator.next()).value as Uint8Array).length
  await iterator.return?.()
  expect(await sizeOf(blob)).toBe(blob.content.size)
  expect(await sizeOf(blob, 1_000_000)).toBe(blob.content.size - 1_000_000)
  letGo?.()
  expect(await errorOf(sizeOf(blob))).toMatchObject({code: 'SOURCE_PASSED', side: 'source'})
})

test('small blobs can be read again after the stream has gone past them', async () => {
  await using source = await opened(await streamOf('plain'))
  const blobs = blobsOf(source)
  const last = blobs.at(-1)
  if (last !== undefined) await sizeOf(last)
  for (const blob of blobs.filter(({content}) => content.size <= 1_000_000)) {
    expect(await sizeOf(blob)).toBe(blob.content.size)
  }
})

test('a stream that is cut short fails what it lacks, and nothing before', async () => {
  const bytes = await readFile(at('plain'))
  await using source = await opened(Readable.from([bytes.subarray(0, bytes.length - LARGE)]))
  const results = await Promise.allSettled(blobsOf(source).map((blob) => sizeOf(blob)))
  expect(results[0]?.status).toBe('fulfilled')
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  )
  expect(failures.length).toBeGreaterThan(0)
  for (const error of failures) expect(error).toMatchObject({code: 'SOURCE_TRUNCATED'})
  for (const blob of blobsOf(source).slice(-failures.length)) {
    expect(await errorOf(sizeOf(blob))).toMatchObject({code: 'SOURCE_TRUNCATED'})
  }
})

test('a flipped byte of a blob is found by its digest', async () => {
  const bytes = await readFile(at('plain'))
  const middle = Math.floor(bytes.length / 2)
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  await using source = await opened(Readable.from([bytes]))
  const results = await Promise.allSettled(blobsOf(source).map((blob) => sizeOf(blob)))
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  )
  expect(failures).toEqual([expect.objectContaining({code: 'DIGEST_MISMATCH'})])
})

test('what lies behind the end of the bundle is told', async () => {
  const extra = await tarBytes([{path: 'more', bytes: Buffer.from('more')}])
  await using source = await opened(Readable.from([await readFile(at('plain')), extra]))
  expect((await source.readToEnd())?.strayBytes).toBeGreaterThan(0)
})

test('closing a stream that never ends ends it', async () => {
  const bytes = await readFile(at('plain'))
  const endless = new Readable({read() {}})
  endless.push(bytes.subarray(0, bytes.length / 2))
  const source = await opened(endless)
  const reading = blobsOf(source).map((blob) => sizeOf(blob))
  await blobsOf(source)[0]?.open()[Symbol.asyncIterator]().next()
  await source[Symbol.asyncDispose]()
  const results = await Promise.allSettled(reading)
  expect(results.some(({status}) => status === 'rejected')).toBe(true)
  expect(endless.destroyed).toBe(true)
})

test.each(['producer', 'index-first', 'reversed'] as const)(
  'a layout with blobs before its manifests is kept in scratch, in the order %s',
  async (order) => {
    const entries = ociLayout([
      {image: app, annotations: {'io.containerd.image.name': 'docker.io/library/app:v1'}},
    ])
    const large = entries.filter((entry) => 'bytes' in entry && entry.bytes.length > LARGE / 2)
    const lists = entries.filter(({path}) => path === 'oci-layout' || path === 'index.json')
    const rest = entries.filter((entry) => !large.includes(entry) && !lists.includes(entry))
    const ordered = {
      producer: [...large, ...rest, ...lists],
      'index-first': [...lists.toReversed(), ...rest, ...large],
      reversed: [...lists, ...large, ...rest],
    }[order]
    const bytes = await compress(await tarBytes(ordered), {type: 'gzip'})
    expect(await errorOf(opened(Readable.from([bytes])))).toMatchObject({code: 'SOURCE_UNSUPPORTED'})
    await using source = await opened(Readable.from([bytes]), {scratch: {directory}})
    expect(rootDigests(await source.images())).toEqual([app.root.descriptor.digest])
    expect(source.access).toBe('random')
    expect(source.usage.scratchPeak).toBeGreaterThan(LARGE)
  },
)

test('chunks of a kept blob are parts of the memory of the stream, and other readers get copies', async () => {
  await using source = await opened(await streamOf('plain'))
  const blob = source.blob(
    app.blobs.find(({descriptor}) => descriptor.size > LARGE / 2)?.descriptor ?? app.root.descriptor,
  )
  const first = async (): Promise<Uint8Array> => {
    for await (const chunk of blob.open()) return chunk
    throw new Error('no chunk')
  }
  const letGo = blob.keep?.()
  const [lent, again] = [await first(), await first()]
  expect(again.buffer).toBe(lent.buffer)
  // Without an announcement of its own, as another blob source of the same content.
  const other = source.blob(blob.content).open()
  for await (const chunk of other) {
    expect(chunk.buffer).not.toBe(lent.buffer)
    const length = Math.min(chunk.length, lent.length)
    expect(Buffer.from(chunk.subarray(0, length)).equals(lent.subarray(0, length))).toBe(true)
    break
  }
  letGo?.()
})
