import {createHash} from 'node:crypto'
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {PassThrough} from 'node:stream'
import {gunzipSync} from 'node:zlib'
import {makeImage, requireTool, runChild} from '@airgap-mirror/test/kit'
import {hexOf, type Digest, type Reference} from '@airgap-mirror/oci-client/model'
import {afterEach, beforeEach, expect, test} from 'vitest'
import {openBundle, openBundleSink, type BundleCodec} from '#src/index.js'
import {partialPath} from '#src/write/bundle/open-bundle-sink.js'
import {errorOf, namesOf, readWhole, rootDigests} from './fixtures/opened.js'
import {save, type SavedImage} from './save-kit.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-save-'))
})
afterEach(() => rm(directory, {recursive: true, force: true}))

function at(name: string): string {
  return join(directory, name)
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

// Layers without compression, because zlib gives other bytes on each Node line.
const plain = {compression: 'none', content: 'random'} as const
const multi = await makeImage({...plain, seed: 'save-multi', platforms: ['linux/amd64', 'linux/arm64']})
const one = await makeImage({...plain, seed: 'save-one', layerSize: 3_000_000})
const text = await makeImage({seed: 'save-text', compression: 'none', content: 'text', layerSize: 200_000})
const signature = await makeImage({...plain, seed: 'save-sig', subject: one.root.descriptor, layers: 1})
const images: readonly SavedImage[] = [
  {image: multi, name: 'docker.io/library/multi:v1'},
  {image: one, name: 'gcr.io/team/one:v1'},
  {image: text, name: 'gcr.io/team/text:v1'},
  {image: signature},
]

const SUMS = {
  plain: 'e2e1018510fc418abb3db3a3c7be0ed858dc8a0946ce2ff6b0bb305bc02f355e',
  gzip: 'bd7082bc59763dd99015d8bbedde8d380a5b069db44f48beb7ff7912b2b1562c',
  zstd: 'abca05f4a20e9517de8e3f5e78b53e92f0896e7fb926b96a09408725538a7507',
  xz: 'd1e2fa9c4a109a693eb84e467e42cf6643812ba585e90ac5e87164c721e3a27a',
} as const satisfies Record<BundleCodec, string>

test.each(Object.entries(SUMS) as [BundleCodec, string][])(
  'a %s bundle has the same bytes by every Node version and library, for any order of its images, and is read back whole',
  async (codec, sum) => {
    await save({kind: 'file', path: at('a')}, images, {directory, codec})
    await save({kind: 'file', path: at('b')}, images.toReversed(), {directory, codec, threads: 1})
    expect([sha256(await readFile(at('a'))), sha256(await readFile(at('b')))]).toEqual([sum, sum])
    await using source = await openBundle(at('a'))
    const read = await source.images()
    expect(namesOf(read).map((name) => name.replace(/^\? .*/, '?'))).toEqual([
      'docker.io/library/multi:v1',
      'gcr.io/team/one:v1',
      '?',
      'gcr.io/team/text:v1',
    ])
    expect(rootDigests(read)).toEqual([multi, one, signature, text].map(({root}) => root.descriptor.digest))
    for (const image of read) await readWhole(source, image)
  },
)

test('the manifests come before the blobs, and the blobs in the order of their images', async () => {
  await save({kind: 'file', path: at('out')}, images, {directory})
  const {stdout} = await runChild('tar', ['-tf', at('out')])
  const names = stdout.trim().split('\n')
  expect(names.slice(0, 2)).toEqual(['oci-layout', 'index.json'])
  const digests = names.slice(2).map((name) => name.replace('blobs/sha256/', ''))
  const manifests = [multi, one, signature, text].flatMap((image) => image.manifests)
  const hexes = (found: readonly {descriptor: {digest: Digest}}[]): readonly string[] =>
    found.map(({descriptor}) => hexOf(descriptor.digest))
  expect(new Set(digests.slice(0, manifests.length))).toEqual(new Set(hexes(manifests)))
  const blobs = [...multi.platforms, ...one.platforms, ...signature.platforms, ...text.platforms]
  expect(digests.slice(manifests.length)).toEqual(
    blobs.flatMap(({config, layers}) => hexes([config, ...layers])),
  )
})

test('a bundle that goes to a stream has the bytes of the file, and leaves nothing on disk', async () => {
  await save({kind: 'file', path: at('file')}, images, {directory})
  const stream = new PassThrough()
  const scratch = at('scratch')
  await mkdir(scratch)
  const [bytes] = await Promise.all([
    stream.toArray(),
    save({kind: 'stream', stream}, images, {directory, scratch}).then(() => stream.end()),
  ])
  expect(sha256(Buffer.concat(bytes))).toBe(sha256(await readFile(at('file'))))
  expect(await readdir(scratch)).toEqual([])
})

test('a directory becomes a layout, in place of the older one and without its blobs', async () => {
  await save({kind: 'directory', path: at('out')}, images, {directory})
  await save({kind: 'directory', path: at('out')}, images.slice(0, 1), {directory})
  await using source = await openBundle(at('out'))
  expect(rootDigests(await source.images())).toEqual([multi.root.descriptor.digest])
  const wanted = [...multi.manifests, ...multi.blobs].map(({descriptor}) => hexOf(descriptor.digest))
  expect(new Set(await readdir(at('out/blobs/sha256')))).toEqual(new Set(wanted))
  expect((await readdir(directory)).filter((name) => name.startsWith('out'))).toEqual([
    'out',
    'out.SHA256SUMS',
  ])
})

test('a directory with other files is refused before anything is written', async () => {
  await mkdir(at('out'))
  await writeFile(at('out/thesis.txt'), 'important')
  const error = await errorOf(save({kind: 'directory', path: at('out')}, images, {directory}))
  expect(error).toMatchObject({code: 'USAGE'})
  expect(await readdir(at('out'))).toEqual(['thesis.txt'])
})

test('a foreign file in place of the directory for blobs is refused, and stays', async () => {
  await mkdir(partialPath(at('out')))
  await writeFile(join(partialPath(at('out')), 'thesis.txt'), 'important')
  const error = await errorOf(save({kind: 'file', path: at('out')}, images, {directory}))
  expect(error).toMatchObject({code: 'USAGE'})
  expect(await readdir(partialPath(at('out')))).toEqual(['thesis.txt'])
})

test('an interrupted run leaves no file under the name, and the next one has the blobs it got', async () => {
  await save({kind: 'file', path: at('whole')}, images, {directory, codec: 'zstd'})
  await save({kind: 'file', path: at('out')}, images.slice(0, 2), {
    directory,
    codec: 'zstd',
    unfinished: true,
  })
  await writeFile(join(partialPath(at('out')), '.blob.0123456789ab.tmp'), 'half a blob')
  await writeFile(join(partialPath(at('out')), 'lock'), '999999999')
  expect((await readdir(directory)).filter((name) => name.startsWith('out'))).toEqual(['out.partial'])
  await save({kind: 'file', path: at('out')}, images, {directory, codec: 'zstd'})
  expect(sha256(await readFile(at('out')))).toBe(sha256(await readFile(at('whole'))))
  expect((await readdir(directory)).filter((name) => name.startsWith('out'))).toEqual([
    'out',
    'out.SHA256SUMS',
  ])
})

test.each(['file', 'directory'] as const)(
  'a blob that was damaged since an earlier run is found before it gets into a %s, and fetched again',
  async (kind) => {
    await save({kind, path: at('out')}, images, {directory, unfinished: true})
    const {digest, size} = one.blobs.at(-1)?.descriptor ?? one.root.descriptor
    const path = join(partialPath(at('out')), 'blobs/sha256', hexOf(digest))
    await writeFile(path, Buffer.alloc(size))
    await save({kind, path: at('out')}, images, {directory})
    await using source = await openBundle(at('out'))
    const found = await source.images()
    expect(found.length).toBeGreaterThan(0)
    for (const image of found) await readWhole(source, image)
  },
)

test('volumes are of the size that was asked for, and sha256sum checks them', async () => {
  await save({kind: 'file', path: at('one')}, images, {directory})
  await save({kind: 'file', path: at('set')}, images, {directory, maxSize: 1_000_000})
  const whole = await readFile(at('one'))
  const names = (await readdir(directory)).filter((name) => /^set\.\d+$/.test(name)).sort()
  expect(names.length).toBe(Math.ceil(whole.length / 1_000_000))
  const parts = await Promise.all(names.map((name) => readFile(at(name))))
  expect(parts.slice(0, -1).every(({length}) => length === 1_000_000)).toBe(true)
  expect(sha256(Buffer.concat(parts))).toBe(sha256(whole))
  const check = await runChild('sha256sum', ['--strict', '-c', 'set.SHA256SUMS'], {cwd: directory})
  expect(check.stdout.trim().split('\n')).toEqual(names.map((name) => `${name}: OK`))
})

test('a bundle of fewer volumes removes those of the older one, and a whole one all of them', async () => {
  await save({kind: 'file', path: at('set')}, images, {directory, maxSize: 1_000_000})
  await save({kind: 'file', path: at('set')}, images, {directory, maxSize: 5_000_000})
  expect((await readdir(directory)).filter((name) => name.startsWith('set'))).toEqual([
    'set.001',
    'set.002',
    'set.SHA256SUMS',
  ])
  await save({kind: 'file', path: at('set')}, images, {directory})
  expect((await readdir(directory)).filter((name) => name.startsWith('set'))).toEqual([
    'set',
    'set.SHA256SUMS',
  ])
})

test('blobs that the far side has are left out and listed', async () => {
  const leaveOut = new Set(one.blobs.map(({descriptor}) => descriptor.digest))
  const written = await save({kind: 'file', path: at('delta')}, images, {directory, leaveOut})
  expect(new Set(written?.contents.absent.map(({digest}) => digest))).toEqual(leaveOut)
  const {stdout} = await runChild('tar', ['-tf', at('delta')])
  for (const digest of leaveOut) expect(stdout).not.toContain(hexOf(digest))
  for (const {descriptor} of one.manifests) expect(stdout).toContain(hexOf(descriptor.digest))
  await using source = await openBundle(at('delta'))
  expect(new Set(source.description.leftOut.map(({digest}) => digest))).toEqual(leaveOut)
  expect(rootDigests(await source.images()).length).toBe(images.length)
  const [config] = one.blobs.map(({descriptor}) => descriptor)
  expect(config === undefined || source.has(config)).toBe(false)
})

test('a delta bundle of a later version is refused', async () => {
  await save({kind: 'directory', path: at('delta')}, images, {directory, leaveOut: new Set()})
  const index = await readFile(at('delta/index.json'), 'utf8')
  await writeFile(at('delta/index.json'), index.replace('absent.v1+json', 'absent.v2+json'))
  expect(await errorOf(openBundle(at('delta')))).toMatchObject({code: 'SOURCE_UNSUPPORTED'})
})

test('gzip bundles are one member that zlib reads', async () => {
  await save({kind: 'file', path: at('plain')}, images, {directory})
  await save({kind: 'file', path: at('packed')}, images, {directory, codec: 'gzip'})
  expect(sha256(gunzipSync(await readFile(at('packed'))))).toBe(sha256(await readFile(at('plain'))))
})

test.each([
  ['xz', ['xz', '-T0', '-dc']],
  ['zstd', ['zstd', '-dc']],
] as const)('%s bundles are unpacked by the tool itself', async (codec, [tool, ...args]) => {
  await save({kind: 'file', path: at('plain')}, images, {directory})
  await save({kind: 'file', path: at('packed')}, images, {directory, codec})
  const script = `${tool} ${args.join(' ')} < ${at('packed')} | cmp - ${at('plain')}`
  const {code, stderr} = await runChild('bash', ['-o', 'pipefail', '-c', script])
  expect({code, stderr}).toEqual({code: 0, stderr: ''})
})

test('docker finds its manifest.json if it was requested, with images of one platform', async () => {
  const gzipped = await makeImage({seed: 'save-docker', platforms: ['linux/arm64', 'linux/amd64']})
  const named = [{image: gzipped, name: 'docker.io/library/app:v1'}]
  await save({kind: 'directory', path: at('out')}, named, {directory, dockerCompatible: true})
  const amd64 = gzipped.platforms[1]
  expect(JSON.parse(await readFile(at('out/manifest.json'), 'utf8'))).toEqual([
    {
      Config: `blobs/sha256/${hexOf(amd64?.config.descriptor.digest ?? 'sha256:')}`,
      RepoTags: ['docker.io/library/app:v1'],
      Layers: amd64?.layers.map(({descriptor}) => `blobs/sha256/${hexOf(descriptor.digest)}`),
    },
  ])
  await using source = await openBundle(at('out'))
  expect(rootDigests(await source.images())).toEqual([gzipped.root.descriptor.digest])
})

test('docker finds images with plain layers and images without a tag, and no referrer counts as an image', async () => {
  const digest = one.root.descriptor.digest
  const named = [
    {image: text, name: 'gcr.io/team/text:v1'},
    {image: one, name: `gcr.io/team/one@${digest}`},
  ]
  const all = [...named, {image: signature}]
  const nameOf = (name: Reference): Reference | undefined => (name.registry === 'r' ? undefined : name)
  await save({kind: 'directory', path: at('out')}, all, {directory, dockerCompatible: true, nameOf})
  const items = JSON.parse(await readFile(at('out/manifest.json'), 'utf8')) as {RepoTags: string[]}[]
  expect(new Set(items.map(({RepoTags}) => RepoTags.join(' ')))).toEqual(new Set(['', 'gcr.io/team/text:v1']))
  const {manifests} = JSON.parse(await readFile(at('out/index.json'), 'utf8')) as {
    manifests: {digest: string; annotations?: Record<string, string>}[]
  }
  const referrer = manifests.find((entry) => entry.digest === signature.root.descriptor.digest)
  expect(referrer?.annotations).toEqual({'io.containerd.manifest.subject': digest})
  await using source = await openBundle(at('out'))
  expect(new Set(rootDigests(await source.images()))).toEqual(
    new Set(all.map(({image}) => image.root.descriptor.digest)),
  )
})

test('skopeo reads each image of a bundle by its full name', async (context) => {
  requireTool(context, 'skopeo')
  await save({kind: 'file', path: at('out.tar')}, images, {directory})
  for (const {image, name} of images) {
    if (name === undefined) continue
    const {stdout} = await runChild('skopeo', ['inspect', '--raw', `oci-archive:${at('out.tar')}:${name}`])
    expect(stdout).toBe(image.root.bytes.toString())
  }
})

test('a bundle that does not fit on the disk is refused with the missing space, before anything is written', async () => {
  const output = {kind: 'file', path: at('out')} as const
  await using sink = await openBundleSink(output, {
    codec: 'plain',
    nameOf: () => undefined,
    scratch: directory,
  })
  const error = await errorOf(sink.reserve([{...one.root.descriptor, size: 2 ** 52}]))
  expect(error).toMatchObject({code: 'WRITE_FAILED', side: 'target'})
  expect(error.message).toMatch(/needs 8192 TiB, and its disk has .* free: .* are missing/)
})
