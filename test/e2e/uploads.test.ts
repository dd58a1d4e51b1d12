import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {join} from 'node:path'
import {
  dockerArchive,
  makeImage,
  makeLayers,
  makeTempDir,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type RequestRecord, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn, named, push, writeBundle, writeOciBundle} from './push.js'

const KiB = 1024

function kinds(registry: TestRegistry): readonly RequestRecord['kind'][] {
  return registry.requests.map(({kind}) => kind)
}
function countOf(registry: TestRegistry, kind: RequestRecord['kind']): number {
  return kinds(registry).filter((each) => each === kind).length
}

describe('uploads', () => {
  let directory: TempDir
  let images: readonly TestImage[]
  let source: string
  let big: TestImage
  let bigSource: string

  beforeAll(async () => {
    directory = await makeTempDir()
    const base = await makeLayers({seed: 'base', layers: 3, layerSize: 40_000})
    images = await Promise.all(['one', 'two', 'three'].map((seed) => makeImage({seed, base, layers: 1})))
    source = await writeOciBundle(
      directory.path,
      images.map((image, index) => named(`gcr.io/team/image${index}:v1`, image)),
    )
    big = await makeImage({seed: 'big', layers: 1, layerSize: 1000 * KiB, content: 'random'})
    const archive = dockerArchive([{image: big, tags: ['gcr.io/team/docker:v1']}])
    bigSource = await writeBundle(join(directory.path, 'big.tar'), archive)
  })
  afterAll(() => directory.remove())

  test('send each blob once: what images share is mounted', async () => {
    await using registry = await startRegistry({strict: true})
    const {code, stderr, report} = await push({source, registry})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    const blobs = new Map(
      images.flatMap((image) => image.blobs).map(({descriptor}) => [descriptor.digest, descriptor]),
    )
    for (const {digest, size} of blobs.values()) expect(registry.bytesReceivedOf(digest)).toBe(size)
    expect(registry.commits).toHaveLength(blobs.size)
    const sent = [...blobs.values()].reduce((sum, {size}) => sum + size, 0)
    expect(report.totals.bytes.uploaded).toBe(sent)
    expect(report.totals.blobs).toEqual({uploaded: blobs.size, mounted: 6, present: 0})
    expect(report.images.reduce((sum, {bytesUploaded}) => sum + bytesUploaded, 0)).toBe(sent)
    expect(faultsIn(registry)).toEqual([])
  })

  test('of a second push are none: a ping, and one HEAD an image', async () => {
    await using registry = await startRegistry({strict: true})
    await push({source, registry})
    registry.clearLog()
    const {code, report} = await push({source, registry})
    expect(code).toBe(0)
    expect(report.images.map(({status}) => status)).toEqual(['present', 'present', 'present'])
    expect(kinds(registry).toSorted()).toEqual(['manifest-head', 'manifest-head', 'manifest-head', 'ping'])
    expect(report.totals.requests).toBe(4)
    expect(registry.bytesReceived).toBe(0)
  })

  test('of a push with one new image are only that image’s own', async () => {
    await using registry = await startRegistry({strict: true})
    await push({source, registry, flags: ['--exclude', '**/image2:*']})
    registry.clearLog()
    const {code, report} = await push({source, registry})
    expect(code).toBe(0)
    expect(report.images.map(({status}) => status)).toEqual(['present', 'present', 'pushed'])
    const own = images[2]?.platforms[0]
    expect(new Set(registry.commits.map(({digest}) => digest))).toEqual(
      new Set([own?.config.descriptor.digest, own?.layers.at(-1)?.descriptor.digest]),
    )
    expect(faultsIn(registry)).toEqual([])
  })

  test('go on when a registry that took them loses a blob behind everybody’s back', async () => {
    await using registry = await startRegistry({strict: true})
    await push({source, registry, flags: ['--include', '**/image0:*']})
    const lost = images[0]?.platforms[0]?.layers[0]?.descriptor.digest
    if (lost === undefined) throw new Error('no layer')
    registry.loseBlob('team/image0', lost)
    const {code, stderr} = await push({source, registry, flags: ['--exclude', '**/image0:*']})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(registry.tags('team/image1')).toEqual(['v1'])
  })

  const patches = (registry: TestRegistry): readonly RequestRecord[] =>
    registry.requests.filter(({kind}) => kind === 'send')

  test('go in chunks of --chunk-size', async () => {
    await using registry = await startRegistry({strict: true})
    const flags = argv`--chunk-size 256KiB --layer-compression none`
    const {code, stderr} = await push({source: bigSource, registry, flags})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    const ranges = patches(registry)
      .map(({headers}) => headers['content-range'])
      .filter((range) => range !== undefined)
    expect(ranges.slice(0, 2)).toEqual(['0-262143', '262144-524287'])
    expect(patches(registry).every(({bytesReceived}) => bytesReceived <= 256 * KiB)).toBe(true)
    expect(faultsIn(registry)).toEqual([])
  })

  test('go in chunks no smaller than OCI-Chunk-Min-Length', async () => {
    await using registry = await startRegistry({strict: true, chunkMinLength: 400 * KiB})
    const {code, stderr} = await push({source: bigSource, registry, flags: argv`--chunk-size 100KiB`})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(patches(registry).length).toBeGreaterThan(1)
    expect(faultsIn(registry)).toEqual([])
  })

  for (const chunks of [404, 405, 416, 'ecr'] as const) {
    test(`go on as one stream where chunks are answered with ${chunks}, which is learnt once`, async () => {
      await using registry = await startRegistry({strict: true, chunks})
      const flags = argv`--chunk-size 8KiB --concurrency 1`
      const {code, stderr, report} = await push({source, registry, flags})
      expect({code}, `printed: ${stderr}`).toEqual({code: 0})
      expect(report.totals.blobs.uploaded).toBe(9)
      const withRange = patches(registry).filter(({headers}) => headers['content-range'] !== undefined)
      expect(withRange.length).toBeLessThanOrEqual(2)
      expect(faultsIn(registry)).toEqual([])
    })
  }

  test('are one stream each with --chunk-size 0', async () => {
    await using registry = await startRegistry({strict: true, chunks: 404})
    const {code, report} = await push({source: bigSource, registry, flags: argv`--chunk-size 0`})
    expect(code).toBe(0)
    expect(report.totals.retries).toBe(0)
    expect(registry.requests.filter(({headers}) => headers['content-range'] !== undefined)).toEqual([])
    expect(registry.requests.filter(({status}) => (status ?? 500) >= 400 && status !== 404)).toEqual([])
  })

  test('are made smaller below the body limit of a proxy in front of the registry', async () => {
    await using registry = await startRegistry({strict: true, bodyLimit: 300 * KiB})
    const {code, stderr} = await push({source: bigSource, registry, flags: argv`--chunk-size 200KiB`})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(faultsIn(registry)).toEqual([])
  })

  test('keep to --limit-rate', async () => {
    await using registry = await startRegistry({strict: true})
    const {code, ms} = await push({source: bigSource, registry, flags: argv`--limit-rate 500KiB`})
    expect(code).toBe(0)
    expect(ms).toBeGreaterThan(1200)
    expect(countOf(registry, 'commit')).toBe(2)
  })

  test('of one after another keep to --concurrency', async () => {
    let open = 0
    let most = 0
    await using registry = await startRegistry({strict: true, latency: 20})
    const watch = setInterval(() => {
      open = registry.openUploads
      most = Math.max(most, open)
    }, 1)
    const {code} = await push({source, registry, flags: argv`--concurrency 2`})
    clearInterval(watch)
    expect(code).toBe(0)
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(2)
  })
})
