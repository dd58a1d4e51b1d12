import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {checkBundle, openBundle, openBundleSink, type BundleCodec} from '@airgap-mirror/bundle'
import {isMirrorError, parseReference} from '@airgap-mirror/oci-client/model'
import {makeImage, ociLayout, writeDirectory} from '@airgap-mirror/test/kit'
import * as fc from 'fast-check'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {verifySource} from '#src/engine/verify/verify-source.js'

const seed = Number(process.env['MIRROR_TEST_SEED'] ?? 20261129)
const image = await makeImage({seed: 'flipped-bit', layers: 2, layerSize: 4000})
const name = parseReference('docker.io/library/app:v1')
const codecs: readonly BundleCodec[] = ['plain', 'gzip', 'zstd', 'xz']

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-flipped-'))
  await writeDirectory(join(directory, 'layout'), ociLayout([{image}]))
  for (const codec of codecs) await saveAs(join(directory, codec), codec)
})
afterAll(() => rm(directory, {recursive: true, force: true}))

async function saveAs(path: string, codec: BundleCodec): Promise<void> {
  await using source = await openBundle(join(directory, 'layout'))
  const nameOf = (): typeof name => name
  await using sink = await openBundleSink(
    {kind: 'file', path},
    {codec, threads: 1, scratch: directory, nameOf},
  )
  for (const {descriptor} of image.blobs) await sink.putBlob('app', source.blob(descriptor))
  await sink.putManifest(name, await source.manifest(image.root.descriptor))
  await sink.finish()
}

/** Returns true if `verify --source` would end with another exit code than 0. */
async function isFound(path: string): Promise<boolean> {
  try {
    await using source = await openBundle(path)
    const choice = {include: [], exclude: [], referrers: true}
    const images = await verifySource(source, {choice, leftOut: [], concurrency: 4, onEvent: () => {}})
    if (images.some(({status}) => status !== 'verified')) return true
    await checkBundle(path)
    return false
  } catch (error) {
    // Anything else would be a bug, and not a finding.
    if (!isMirrorError(error)) throw error
    return true
  }
}

async function flipped(path: string, bit: number): Promise<void> {
  const bytes = await readFile(path)
  const at = Math.floor(bit / 8)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8))
  await writeFile(path, bytes)
}

test.each(codecs)(
  'a flipped bit anywhere in a bundle of codec %s is found, by its checksums if by nothing else',
  async (codec) => {
    const path = join(directory, codec)
    expect(await isFound(path)).toBe(false)
    const {length} = await readFile(path)
    await fc.assert(
      fc.asyncProperty(fc.nat(8 * length - 1), async (bit) => {
        await flipped(path, bit)
        const found = await isFound(path)
        await flipped(path, bit)
        expect(found).toBe(true)
      }),
      {seed, numRuns: 20},
    )
    expect(await isFound(path)).toBe(false)
  },
)

test('a flipped bit of a manifest, config or layer is found without any checksums beside the bundle', async () => {
  const path = join(directory, 'alone')
  const whole = await readFile(join(directory, 'plain'))
  const contents = [...image.manifests, ...image.blobs].map(({bytes}) => ({
    at: whole.indexOf(bytes),
    length: bytes.length,
  }))
  expect(contents.every(({at}) => at > 0)).toBe(true)
  const places = contents.flatMap(({at, length}) => Array.from({length}, (_, index) => at + index))
  await fc.assert(
    fc.asyncProperty(fc.nat(places.length - 1), fc.nat(7), async (index, bit) => {
      await writeFile(path, whole)
      await flipped(path, 8 * (places[index] ?? 0) + bit)
      expect(await isFound(path)).toBe(true)
    }),
    {seed, numRuns: 30},
  )
})
