import {copyFile, rename, rm, stat, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {mediaTypes, type SourceImage} from '@airgap-mirror/oci-client/model'
import {afterEach, beforeEach, describe, expect, it, test} from 'vitest'
import {openBundle, type BundleSource} from '#src/index.js'
import {literalTar, type LiteralEntry} from './fixtures/literal-tar.js'
import {errorOf, namesOf, readWhole, testDirectory, type TestDirectory} from './fixtures/opened.js'
import {filter} from './fixtures/packed.js'
import {config, descriptor, image, indexJson, json, OCI_LAYOUT, plainLayer} from './fixtures/parts.js'

const app = image('app')
const tool = image('tool')

function layoutOf(name: string, ...images: readonly (typeof app)[]): Buffer {
  return literalTar([
    ...images.flatMap(({blobs}) => blobs),
    indexJson(
      images.map(({manifest}, index) =>
        descriptor(mediaTypes.ociManifest, manifest, {
          annotations: {'io.containerd.image.name': `gcr.io/a/${name}${index}:v1`},
        }),
      ),
    ),
    OCI_LAYOUT,
  ])
}

const layer = plainLayer('only')
const own = config(layer)
const dockerArchive = literalTar([
  {path: 'deep/', type: '5'},
  {path: 'deep/layer.tar', content: layer.bytes},
  {path: 'layer.tar', type: '2', link: 'deep/layer.tar'},
  {path: `${own.hex}.json`, content: own.bytes},
  json('manifest.json', [
    {Config: `${own.hex}.json`, RepoTags: ['gcr.io/a/docker:v1'], Layers: ['layer.tar']},
  ]),
])

function gzip(bytes: Uint8Array): Promise<Buffer> {
  return filter('gzip', ['-c'], bytes)
}

/** Bundles by their special property. */
const shapes: readonly (readonly [string, () => Promise<Uint8Array>])[] = [
  ['an OCI layout', async () => layoutOf('app', app, tool)],
  ['a docker-archive with a linked layer', async () => dockerArchive],
  [
    'an OCI layout with members that are not read',
    async () =>
      Buffer.concat([literalTar([{path: 'dev/null', type: '3'}]).subarray(0, -1024), layoutOf('app', app)]),
  ],
  [
    'an archive of archives, packed and plain, and other things',
    async () => {
      const entries: readonly LiteralEntry[] = [
        {path: 'release/README', content: 'images of the release'},
        {path: 'release/app.tar', content: layoutOf('app', app)},
        {path: 'release/tool.tgz', content: await gzip(layoutOf('tool', tool))},
        {path: 'release/docker.tar', content: dockerArchive},
        {path: 'release/chart.tgz', content: await gzip(literalTar([{path: 'Chart.yaml', content: 'a: 1'}]))},
        {path: 'release/notes.gz', content: await gzip(Buffer.from('notes '.repeat(1000)))},
      ]
      return literalTar(entries)
    },
  ],
]

const packings: readonly (readonly [string, (bytes: Uint8Array) => Promise<Uint8Array>])[] = [
  ['xz blocks', (bytes) => filter('xz', ['-c', '-T1', '--block-size=4096'], bytes)],
  ['one xz block', (bytes) => filter('xz', ['-c', '-T1'], bytes)],
  ['zstd', (bytes) => filter('zstd', ['-c', '-q'], bytes)],
  ['gzip', gzip],
]

let directory: TestDirectory
let kept: Map<string, Uint8Array>
const indexCache = {
  load: async (key: string) => kept.get(key),
  save: async (key: string, bytes: Uint8Array) => void kept.set(key, bytes),
}
function open(path: string): Promise<BundleSource> {
  return openBundle(path, {indexCache, scratch: {directory: directory.path}})
}

/** Writes a file with an old date, so that another change would be noticed. */
async function writeSettled(bytes: Uint8Array): Promise<string> {
  const path = join(directory.path, 'bundle')
  await writeFile(path, bytes)
  await setTimeout(80)
  return path
}

async function openedOnce(path: string): Promise<readonly SourceImage[]> {
  await using source = await open(path)
  return source.images()
}

async function manifestsOf(source: BundleSource): Promise<void> {
  for (const {root} of await source.images()) if ('manifest' in root) await source.manifest(root.manifest)
}

beforeEach(async () => {
  directory = await testDirectory()
  kept = new Map()
})
afterEach(() => directory[Symbol.asyncDispose]())

describe.each(packings)('of a bundle packed as %s', (_packing, pack) => {
  test.each(shapes)('nothing is decoded again to know %s', async (_shape, make) => {
    const path = await writeSettled(await pack(await make()))
    const fresh = await openedOnce(path)
    expect(kept.size).toBe(1)

    await using source = await open(path)
    await manifestsOf(source)
    const images = await source.images()

    expect(namesOf(images)).toEqual(namesOf(fresh))
    expect(source.usage).toEqual({decoded: 0, scratchPeak: 0})
    await using plain = await openBundle(path)
    for (const [index, one] of (await plain.images()).entries()) {
      expect(await readWhole(source, images[index] ?? one)).toEqual(await readWhole(plain, one))
    }
    expect(source.usage.decoded).toBeGreaterThan(0)
    expect(source.access).toBe(plain.access)
    expect(source.description).toEqual(plain.description)
    expect(source.unused).toEqual(plain.unused)
  })
})

describe('the memory of a bundle', () => {
  const packed = () => filter('xz', ['-c', '-T1', '--block-size=4096'], layoutOf('app', app))

  it('is empty if nothing had to be decoded', async () => {
    await openedOnce(await writeSettled(layoutOf('app', app)))
    expect(kept.size).toBe(0)
  })

  it('is empty while the file may still be written to', async () => {
    const path = join(directory.path, 'bundle')
    await writeFile(path, await packed())
    const now = new Date()
    await utimes(path, now, now)
    await openedOnce(path)
    expect(kept.size).toBe(0)
  })

  it('is not used for another file in its place, of the same size and date', async () => {
    const path = await writeSettled(await packed())
    await openedOnce(path)
    const {mtime, atime} = await stat(path)
    const other = join(directory.path, 'other')
    await copyFile(path, other)
    await utimes(other, atime, mtime)
    await rename(other, path)

    await using source = await open(path)
    expect(source.usage.decoded).toBeGreaterThan(0)
  })

  it('is reported as stale if the file is replaced before content is read', async () => {
    const path = await writeSettled(await packed())
    await openedOnce(path)
    await using source = await open(path)
    await rm(path)
    await writeFile(path, await packed())

    const [first] = await source.images()
    if (first === undefined) throw new Error('no image')
    const error = await errorOf(readWhole(source, first))
    expect([error.code, error.message]).toEqual([
      'SOURCE_UNREADABLE',
      `${path} was changed while it was read`,
    ])
  })

  it('does not hide damage of the content', async () => {
    const bytes = literalTar([
      {path: app.blobs[0]?.path ?? '', content: Buffer.alloc(200)},
      ...app.blobs.slice(1),
      indexJson([descriptor(mediaTypes.ociManifest, app.manifest)]),
      OCI_LAYOUT,
    ])
    const path = await writeSettled(await filter('zstd', ['-c', '-q'], bytes))
    await openedOnce(path)
    await using source = await open(path)
    expect(source.usage.decoded).toBe(0)

    const [first] = await source.images()
    if (first === undefined) throw new Error('no image')
    expect((await errorOf(readWhole(source, first))).code).toBe('DIGEST_MISMATCH')
  })

  it('is recomputed if it cannot be read', async () => {
    const path = await writeSettled(await packed())
    await openedOnce(path)
    const [[key, whole] = ['', Buffer.alloc(0)]] = kept
    const damaged = [
      Buffer.alloc(0),
      Buffer.from('nonsense'),
      whole.subarray(0, whole.length - 10),
      await gzip(Buffer.alloc(4)),
      await gzip(Buffer.from([255, 255, 255, 255])),
      await gzip(Buffer.from('\u0002\0\0\0{}')),
      await gzip(Buffer.from('\u0004\0\0\0null')),
    ]
    for (const bytes of damaged) {
      kept.set(key, bytes)
      await using source = await open(path)
      expect(namesOf(await source.images())).toEqual(['gcr.io/a/app0:v1'])
      expect(kept.get(key)).toEqual(whole)
    }
  })

  it('is ignored if its store fails', async () => {
    const path = await writeSettled(await packed())
    const notes: string[] = []
    const fail = async (): Promise<never> => {
      throw new Error('the disk is gone')
    }
    await using source = await openBundle(path, {
      indexCache: {load: fail, save: fail},
      onNote: (text) => notes.push(text),
    })
    expect(namesOf(await source.images())).toEqual(['gcr.io/a/app0:v1'])
    expect(notes).toHaveLength(2)
  })
})
