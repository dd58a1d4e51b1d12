import {readdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import * as fc from 'fast-check'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {
  compress,
  dockerArchive,
  makeImage,
  makeTempDir,
  ociLayout,
  skopeoDirectory,
  tarBytes,
  type Compression,
  type TempDir,
  timesTried,
} from '@airgap-mirror/test/kit'
import {mutated, mutations, repaired} from './mutations.js'
import {readBundle} from './read-bundle.js'

const seed = Number(process.env['MIRROR_TEST_SEED'] ?? 20261121)
const RUNS = timesTried(150)
/** Far beyond what a busy machine needs for so small a bundle. */
const PATIENCE = 120_000

interface Original {
  readonly format: string
  readonly tar: Buffer
  /** Digests of all manifests and configs: nothing else may be taken for an image. */
  readonly roots: ReadonlySet<string>
  /** `NAME whole` for each of its images. */
  readonly outcomes: ReadonlySet<string>
}

const codecs: readonly Compression[] = [
  {type: 'none'},
  {type: 'gzip'},
  {type: 'xz'},
  {type: 'xz', blockSize: 4096},
  {type: 'zstd', frameSize: 4096},
]

let temp: TempDir
const originals: Original[] = []
beforeAll(async () => {
  temp = await makeTempDir()
  const one = await makeImage({seed: 'one', layerSize: 700, platforms: ['linux/amd64', 'linux/arm64']})
  const two = await makeImage({seed: 'two', layerSize: 900, format: 'docker'})
  const name = (text: string) => ({annotations: {'io.containerd.image.name': text}})
  const layout = ociLayout([
    {image: one, ...name('gcr.io/one:v1')},
    {image: two, ...name('gcr.io/two:v1')},
  ])
  const tagged = [
    {image: one, tags: ['gcr.io/one:v1']},
    {image: two, tags: ['gcr.io/two:v1']},
  ]
  const docker = await tarBytes(dockerArchive(tagged))
  const crane = await tarBytes(dockerArchive(tagged, {shape: 'crane'}))
  const nested = [
    {path: 'one.tar', bytes: docker},
    {path: 'two.tar.gz', bytes: gzipSync(crane)},
  ]
  const shapes = {
    'OCI layout': await tarBytes(layout),
    'docker-archive': docker,
    'docker-archive of crane': crane,
    'dir: of skopeo': await tarBytes(skopeoDirectory(two)),
    'archives inside an archive': await tarBytes(nested),
  }
  const roots = [one, two].flatMap(({manifests, platforms}) =>
    [...manifests, ...platforms.map(({config}) => config)].map(({descriptor}) => descriptor.digest),
  )
  for (const [format, tar] of Object.entries(shapes)) {
    const path = join(temp.path, 'bundle')
    await writeFile(path, tar)
    const outcomes = new Set((await readBundle(path)).outcome.split(', '))
    originals.push({format, tar, outcomes, roots: new Set([...roots, ...(await readBundle(path)).roots])})
  }
})
afterAll(() => temp.remove())

async function openFiles(): Promise<number> {
  return (await readdir('/proc/self/fd').catch(() => [])).length
}

async function read(bytes: Uint8Array): ReturnType<typeof readBundle> {
  const path = join(temp.path, 'bundle')
  await writeFile(path, bytes)
  let timer: NodeJS.Timeout | undefined
  const hang = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), PATIENCE)
  })
  try {
    return await Promise.race([readBundle(path), hang])
  } finally {
    clearTimeout(timer)
  }
}

test(`any valid bundle with any bytes changed is the right images or coded errors, and nothing stays open (MIRROR_TEST_SEED=${seed})`, async () => {
  const before = await openFiles()
  let runs = 0
  await fc.assert(
    fc.asyncProperty(
      fc.nat(4),
      fc.constantFrom(...codecs),
      mutations,
      fc.constantFrom('packed' as const, 'plain' as const, 'plain with right checksums' as const),
      async (shape, codec, list, where) => {
        const {format, tar, roots, outcomes} = originals[shape] as Original
        const plain = where === 'packed' ? tar : mutated(tar, list)
        const packed = await compress(where === 'plain with right checksums' ? repaired(plain) : plain, codec)
        const result = await read(where === 'packed' ? mutated(packed, list) : packed)
        runs += 1

        // A dir: says nowhere which manifest it should hold.
        const strange = format === 'dir: of skopeo' ? [] : result.roots.filter((root) => !roots.has(root))
        expect({format, codec, where, strange}).toMatchObject({strange: []})
        const isProven = where === 'packed' && (codec.type === 'gzip' || codec.type === 'xz')
        const whole = result.outcome.split(', ').filter((outcome) => outcome.endsWith(' whole'))
        expect(isProven ? whole.filter((outcome) => !outcomes.has(outcome)) : []).toEqual([])
      },
    ),
    {seed, numRuns: RUNS, endOnFailure: true},
  )
  expect(runs).toBe(RUNS)
  expect(await openFiles()).toBeLessThanOrEqual(before + 2)
})

const boundaries: readonly Compression[] = codecs

test.each(boundaries)(
  'any bundle as %j that ends anywhere is the right images or coded errors',
  async (codec) => {
    for (const {tar, roots, format} of originals) {
      const packed = await compress(tar, codec)
      const step = Math.max(256, Math.ceil(packed.length / 4 / 256) * 256)
      const ends = [
        1,
        5,
        6,
        11,
        12,
        13,
        packed.length - 1,
        packed.length - 4,
        packed.length - 12,
        packed.length - 13,
      ]
      for (let at = step; at < packed.length; at += step) ends.push(at, at + 1)
      for (const end of ends) {
        const result = await read(packed.subarray(0, end))
        const strange = format === 'dir: of skopeo' ? [] : result.roots.filter((root) => !roots.has(root))
        expect({format, end, strange}).toMatchObject({strange: []})
        // A compressed file states its end; a plain tar may lack an end mark.
        const mayBeWhole = codec.type === 'none' || end >= packed.length
        const isRefused = result.outcome.startsWith('SOURCE_')
        expect({format, end, outcome: result.outcome, fine: mayBeWhole || isRefused}).toMatchObject({
          fine: true,
        })
      }
    }
  },
)
