import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {join} from 'node:path'
import {
  compress,
  dockerArchive,
  makeImage,
  makeTempDir,
  ociLayout,
  tarBytes,
  withTempDir,
  type Compression,
  type Entry,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {writeFile} from 'node:fs/promises'
import {flipped, replaced, without} from './damage.js'
import {errorsOf, faultsIn, named, push, writeBundle} from './push.js'

let good: TestImage
let bad: TestImage
function layout(): readonly Entry[] {
  return ociLayout([named('gcr.io/good/app:v1', good), named('gcr.io/bad/app:v1', bad)])
}
function docker(): readonly Entry[] {
  return dockerArchive([
    {image: good, tags: ['gcr.io/good/app:v1']},
    {image: bad, tags: ['gcr.io/bad/app:v1']},
  ])
}
function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}
function badLayer() {
  const layer = bad.platforms[0]?.layers[0]
  if (layer === undefined) throw new Error('no layer')
  return layer
}
function layerPath(): string {
  return blobPath(badLayer().descriptor.digest)
}

/** A compressed bundle in which one bit of the bad image's layer is another. */
async function withDamage(compression: Compression): Promise<Uint8Array> {
  const plain = await tarBytes(layout())
  const bytes = await compress(plain, compression)
  // Random bytes do not compress: what lies in the middle of the layer lies about there in the compressed file.
  const at = plain.indexOf(badLayer().bytes) + badLayer().bytes.length / 2
  return flipped(bytes, Math.floor(at * (bytes.length / plain.length)))
}

const cases: readonly (readonly [string, () => Promise<Uint8Array>, RegExp])[] = [
  ['a layer is not what its digest says', () => tarBytes(replaced(layout(), layerPath(), flipped)), /digest/],
  [
    'a layer is shorter than its descriptor says',
    () => tarBytes(replaced(layout(), layerPath(), (bytes) => bytes.subarray(0, 1000))),
    /has 1000 bytes/,
  ],
  [
    'a layer is missing, and the registry lacks it',
    () => tarBytes(without(layout(), layerPath())),
    /neither the source nor/,
  ],
  [
    'the manifest is not what its digest says',
    () => tarBytes(replaced(layout(), blobPath(bad.root.descriptor.digest), flipped)),
    /digest/,
  ],
  [
    'the manifest is missing',
    () => tarBytes(without(layout(), blobPath(bad.root.descriptor.digest))),
    /not in the bundle/,
  ],
  [
    'the manifest is not JSON',
    () => tarBytes(replaced(layout(), blobPath(bad.root.descriptor.digest), () => Buffer.from('<html>'))),
    /./,
  ],
  [
    'a plain layer of a docker-archive is not what its diff id says',
    () => tarBytes(replaced(docker(), `${badLayer().diffId.slice('sha256:'.length)}.tar`, flipped)),
    /digest/,
  ],
  [
    'a layer of a docker-archive is missing',
    () => tarBytes(without(docker(), `${badLayer().diffId.slice('sha256:'.length)}.tar`)),
    /\.tar|layer/,
  ],
  [
    'a block of the xz is damaged',
    () => withDamage({type: 'xz', blockSize: 65_536}),
    /damaged|corrupt|digest/i,
  ],
  [
    'a frame of the zstd is damaged',
    () => withDamage({type: 'zstd', frameSize: 65_536}),
    /damaged|corrupt|digest/i,
  ],
]

describe('exit code 3, and no tag of the damaged image, where of two images', () => {
  beforeAll(async () => {
    good = await makeImage({seed: 'good', content: 'random', layerSize: 200_000})
    bad = await makeImage({seed: 'bad', content: 'random', layerSize: 200_000})
  })

  test.each(cases)('%s', (_name, make, error) =>
    withTempDir(async (directory) => {
      await using registry = await startRegistry({strict: true})
      const source = join(directory, 'bundle')
      await writeFile(source, await make())

      const {code, stderr, report} = await push({source, registry})

      expect({code}, `printed: ${stderr}`).toEqual({code: 3})
      expect(report.outcome).toBe('partial')
      expect(report.images.map(({status}) => status)).toEqual(['pushed', 'failed'])
      expect(errorsOf('source', stderr)).toMatch(/gcr\.io\/bad\/app:v1/)
      expect(errorsOf('source', stderr)).toMatch(error)
      expect(stderr).toMatch(/^hint: /m)
      expect(report.images[1]?.error?.hint).toBeTruthy()
      expect(registry.tags('good/app')).toEqual(['v1'])
      expect(registry.tags('bad/app')).toEqual([])
      expect(faultsIn(registry)).toEqual([])
    }),
  )
})

describe('a layer that the bundle lacks and the registry has', () => {
  let directory: TempDir
  beforeAll(async () => {
    directory = await makeTempDir()
  })
  afterAll(() => directory.remove())

  test('is no damage: exit code 0', async () => {
    await using registry = await startRegistry({strict: true})
    await registry.addBlob('bad/app', badLayer().bytes)
    const source = await writeBundle(join(directory.path, 'thin.tar'), without(layout(), layerPath()))
    const {code, stderr} = await push({source, registry})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    expect(registry.manifest('bad/app', 'v1')?.digest).toBe(bad.root.descriptor.digest)
    expect(faultsIn(registry)).toEqual([])
  })
})
