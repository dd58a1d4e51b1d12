import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {gunzipSync} from 'node:zlib'
import {
  compress,
  dockerArchive,
  makeImage,
  ociLayout,
  seededRandom,
  tarBytes,
  writeDirectory,
  type NamedImage,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {digestOf, isMirrorError, type SourceImage} from '@airgap-mirror/oci-client/model'
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  integer,
  record,
  stringMatching,
  subarray,
} from 'fast-check'
import {expect, test} from 'vitest'
import {openBundle, type BundleSource} from '#src/index.js'
import {bytesOf, namesOf, readWhole, rootDigests, testDirectory} from '../fixtures/opened.js'

const seed = Number(process.env['FC_SEED'] ?? 20_261_121)

const graphs = array(
  record({
    seed: stringMatching(/^[a-z]{1,8}$/),
    layers: integer({min: 0, max: 4}),
    layerSize: integer({min: 0, max: 20_000}),
    platforms: subarray(['linux/amd64', 'linux/arm64', 'linux/arm/v7'], {minLength: 1}),
  }),
  {minLength: 1, maxLength: 4},
)

const PLATFORM_ORDER = {seed: 'order'} as const
async function named(graph: readonly Parameters<typeof makeImage>[0][]): Promise<readonly NamedImage[]> {
  return Promise.all(
    graph.map(async (options, index) => {
      const name = `registry.example/${options.seed}-${index}:v${index}`
      return {
        image: await makeImage(options),
        annotations: {'io.containerd.image.name': name},
        tags: [name],
      }
    }),
  )
}

function digestsIn({manifests, blobs}: TestImage): ReadonlySet<string> {
  return new Set([...manifests, ...blobs].map(({descriptor}) => descriptor.digest))
}

async function expectSame(source: BundleSource, images: readonly NamedImage[]): Promise<void> {
  const found = await source.images()
  expect(namesOf(found)).toEqual(images.map(({tags}) => tags?.[0]))
  expect(rootDigests(found)).toEqual(images.map(({image}) => image.root.descriptor.digest))
  for (const [index, {image}] of images.entries()) {
    const own = found[index]
    expect(own && new Set(await readWhole(source, own))).toEqual(digestsIn(image))
  }
}

async function layersOf(source: BundleSource, found: SourceImage | undefined): Promise<readonly string[]> {
  if (found === undefined) throw new Error('no image')
  const {root} = found
  if ('manifest' in root) {
    const manifest = await source.manifest(root.manifest)
    return manifest.kind === 'image' ? manifest.layers.map(({digest}) => digest) : []
  }
  if ('error' in root) throw root.error
  const digests = []
  for (const layer of root.pending.layers) digests.push(digestOf(gunzipSync(await bytesOf(source, layer))))
  return digests
}

test(`any image graph reads back equal from an OCI layout, as a directory and as any tar (FC_SEED=${seed})`, async () => {
  await assert(
    asyncProperty(graphs, constantFrom('none', 'gzip', 'xz', 'zstd'), async (graph, type) => {
      await using directory = await testDirectory()
      const images = await named(graph)
      const entries = ociLayout(images)
      await writeDirectory(join(directory.path, 'layout'), entries)
      await using unpacked = await openBundle(join(directory.path, 'layout'))
      await expectSame(unpacked, images)
      const tar = await tarBytes(entries, {order: PLATFORM_ORDER})
      await writeFile(join(directory.path, 'packed'), await compress(tar, {type}))
      await using packed = await openBundle(join(directory.path, 'packed'))
      await expectSame(packed, images)
    }),
    {seed, numRuns: 15},
  )
  expect.hasAssertions()
})

test(`any image reads back with its layers from a docker-archive (FC_SEED=${seed})`, async () => {
  await assert(
    asyncProperty(graphs, constantFrom('skopeo', 'crane'), async (graph, shape) => {
      await using directory = await testDirectory()
      const images = await named(graph)
      const path = join(directory.path, 'archive')
      await writeFile(path, await tarBytes(dockerArchive(images, {shape})))
      await using source = await openBundle(path)
      const found = await source.images()
      expect(namesOf(found)).toEqual(images.map(({tags}) => tags?.[0]))
      for (const [index, {image}] of images.entries()) {
        const [platform] = image.platforms
        const expected = platform?.layers.map(({diffId, descriptor}) =>
          shape === 'crane' ? descriptor.digest : diffId,
        )
        expect(await layersOf(source, found[index])).toEqual(expected)
      }
    }),
    {seed, numRuns: 15},
  )
})

test(`a bundle cut at any place gives the right content or a coded error (FC_SEED=${seed})`, async () => {
  const images = await named([{seed: 'cut', layers: 2, layerSize: 3000}])
  const whole = await tarBytes(ociLayout(images))
  const random = seededRandom(String(seed))
  for (let run = 0; run < 25; run += 1) {
    await using directory = await testDirectory()
    const path = join(directory.path, 'archive')
    await writeFile(path, whole.subarray(0, Math.floor(random() * whole.length)))
    const outcome = await readOrError(path, images)
    expect(['the right content', 'source']).toContain(outcome)
  }
})

async function readOrError(path: string, images: readonly NamedImage[]): Promise<unknown> {
  try {
    await using source = await openBundle(path)
    await expectSame(source, images)
    return 'the right content'
  } catch (error) {
    return isMirrorError(error) ? error.side : error
  }
}
