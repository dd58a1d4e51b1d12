import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {afterEach, beforeEach, describe, expect, test} from 'vitest'
import {digestOf, hexOf, mediaTypes, parseManifest, type BlobSource} from '@airgap-mirror/oci-client/model'
import {
  compress,
  dockerArchive,
  makeImage,
  memoryBlob,
  requireTool,
  runChild,
  skopeo,
  writeTar,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {openFileSink, type FileSink} from '#src/index.js'
import {UnpackAccount} from '#src/write/unpack-account.js'
import {errorOf, namesOf} from './fixtures/opened.js'
import {onlyImage, openLayout, target, transfer, withBundle} from './write-kit.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-write-'))
})
afterEach(() => rm(directory, {recursive: true, force: true}))

function at(name: string): string {
  return join(directory, name)
}
const name = 'docker.io/team/app:v1'
function openSink(path: string): Promise<FileSink> {
  return openFileSink({format: 'docker-archive', path, repoTags: () => [name]})
}

async function write(image: TestImage, path: string): Promise<void> {
  await using source = await openLayout(directory, [{image}])
  await using sink = await openSink(path)
  await transfer(await onlyImage(source), {source, sink})
  await sink.finish()
}

const one = await makeImage({seed: 'docker-one', layers: 3, layerSize: 100_000})
const docker = await makeImage({seed: 'docker-two', format: 'docker'})
const plain = await makeImage({seed: 'docker-plain', compression: 'none'})

test.each([
  ['an OCI image', one],
  ['a Docker image', docker],
  ['an image of plain layers', plain],
])('%s keeps its config, and its layers are plain', async (_, image) => {
  await write(image, at('out'))
  const [platform] = image.platforms
  await withBundle(at('out'), async (source) => {
    const read = await onlyImage(source)
    expect(namesOf([read])).toEqual([name])
    if (!('pending' in read.root)) throw new Error('it has a manifest')
    expect(read.root.pending.config.digest).toBe(platform?.config.descriptor.digest)
    expect(read.root.pending.layers).toMatchObject(
      (platform?.layers ?? []).map(({diffId, plain: {length}}) => ({diffId, size: length})),
    )
  })
})

test('skopeo and podman load a docker-archive that was written', async (context) => {
  requireTool(context, 'skopeo', 'podman')
  await write(docker, at('out'))
  await skopeo(['copy', '--quiet', `docker-archive:${at('out')}:${name}`, `oci:${at('back')}:v1`])
  const config = docker.platforms[0]?.config.descriptor.digest ?? ''
  const inspected = JSON.parse(await skopeo(['inspect', '--raw', `oci:${at('back')}:v1`])) as {
    config: {digest: string}
  }
  expect(inspected.config.digest).toMatch(/^sha256:/)
  await writeFile(at('policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
  const storage = ['--root', at('root'), '--runroot', at('run'), '--storage-driver', 'vfs']
  const load = ['load', '--signature-policy', at('policy.json'), '--input', at('out')]
  const loaded = await runChild('podman', [...storage, ...load], {
    env: {PATH: process.env['PATH'], HOME: directory},
  })
  expect(loaded).toMatchObject({code: 0})
  const images = await runChild(
    'podman',
    [...storage, 'image', 'inspect', '--format', '{{.Id}} {{.RepoTags}}', name],
    {env: {PATH: process.env['PATH'], HOME: directory}},
  )
  expect(images.stdout.trim()).toBe(`${hexOf(config as `sha256:${string}`)} [${name}]`)
})

test('a docker-archive can be made from another, the layers never compressed on the way', async () => {
  await writeTar(at('first'), dockerArchive([{image: docker, tags: [name]}]))
  await withBundle(
    at('first'),
    async (source) => {
      await using sink = await openSink(at('second'))
      await transfer(await onlyImage(source), {source, sink})
      await sink.finish()
    },
    {layerCompression: 'none'},
  )
  await withBundle(at('second'), async (source) => {
    const read = await onlyImage(source)
    expect(read.root).toMatchObject({
      pending: {config: {digest: docker.platforms[0]?.config.descriptor.digest}},
    })
  })
})

describe('refuses', () => {
  test('an existing file, before and after the work', async () => {
    await writeFile(at('out'), 'precious')
    expect(await errorOf(openSink(at('out')))).toMatchObject({code: 'USAGE', side: 'target'})
    await using source = await openLayout(directory, [{image: one}])
    await using sink = await openSink(at('late'))
    await transfer(await onlyImage(source), {source, sink})
    await writeFile(at('late'), 'precious')
    expect(await errorOf(sink.finish())).toMatchObject({code: 'USAGE'})
    expect(await readFile(at('late'), 'utf8')).toBe('precious')
  })

  test('an index, with advice to choose one platform', async () => {
    const multi = await makeImage({seed: 'docker-multi', platforms: ['linux/amd64', 'linux/arm64']})
    const error = await errorOf(write(multi, at('out')))
    expect(error.advice).toEqual({kind: 'choose-one-platform'})
    expect(await readdir(directory)).toEqual(['source'])
  })

  test('layers whose diff IDs are not in the config', async () => {
    await using source = await openLayout(directory, [{image: one}])
    await using sink = await openSink(at('out'))
    const image = await onlyImage(source)
    if (!('manifest' in image.root)) throw new Error('it has no manifest')
    const manifest = await source.manifest(image.root.manifest)
    if (manifest.kind !== 'image') throw new Error('it is an index')
    for (const blob of [manifest.config, ...manifest.layers]) await sink.putBlob('image', source.blob(blob))
    const json = JSON.parse(Buffer.from(manifest.bytes).toString()) as {layers: object[]}
    const turned = parseManifest(Buffer.from(JSON.stringify({...json, layers: json.layers.toReversed()})))
    expect(await errorOf(sink.putManifest(target, turned))).toMatchObject({
      code: 'DIGEST_MISMATCH',
      side: 'source',
    })
  })

  test('artifacts, which no tool could load', async () => {
    const text = Buffer.from('{}')
    const config = {mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: digestOf(text), size: 2}
    const manifest = parseManifest(
      Buffer.from(JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: []})),
    )
    await using sink = await openSink(at('out'))
    await sink.putBlob('image', blobOf(text, config.mediaType))
    expect(await errorOf(sink.putManifest(target, manifest))).toMatchObject({code: 'SOURCE_UNSUPPORTED'})
  })
})

describe('a layer', () => {
  test.each([
    ['cut short', gzipSync(Buffer.alloc(100_000, 'x')).subarray(0, 60), 'SOURCE_TRUNCATED'],
    ['damaged', damaged(gzipSync(Buffer.alloc(100_000, 'x'))), 'SOURCE_CORRUPT'],
    ['in a compression that is not read', Buffer.from('LZIP'.padEnd(600, '.')), 'SOURCE_UNSUPPORTED'],
  ])('%s is an error of the source, and leaves no trace in the archive', async (_, bytes, code) => {
    await using source = await openLayout(directory, [{image: one}])
    await using sink = await openSink(at('out'))
    const error = await errorOf(sink.putBlob('image', blobOf(bytes, mediaTypes.ociLayerGzip)))
    expect(error).toMatchObject({code, side: 'source'})
    await transfer(await onlyImage(source), {source, sink})
    await sink.finish()
    const {stdout} = await runChild('tar', ['-tf', at('out')])
    expect(stdout.trim().split('\n')).toHaveLength(3 + 1 + 1)
  })

  test('that unpacks to absurdly much is refused, and so is the next one, because both are of one archive', async () => {
    const account = new UnpackAccount({ratio: 100, always: 200_000})
    await using sink = await openFileSink({
      format: 'docker-archive',
      path: at('out'),
      repoTags: () => [name],
      account,
    })
    const bomb = (bytes: number) => blobOf(gzipSync(Buffer.alloc(bytes)), mediaTypes.ociLayerGzip)
    await sink.putBlob('image', bomb(190_000))
    const error = await errorOf(sink.putBlob('image', bomb(190_001)))
    expect(error).toMatchObject({code: 'LIMIT_EXCEEDED', side: 'source'})
    expect(await errorOf(sink.putBlob('image', bomb(100_000)))).toMatchObject({code: 'LIMIT_EXCEEDED'})
  })

  test('that unpacks to something other than the config announced is refused when it ends', async () => {
    await using source = await openLayout(directory, [{image: one}])
    await using sink = await openSink(at('out'))
    const image = await onlyImage(source)
    if (!('manifest' in image.root)) throw new Error('it has no manifest')
    const manifest = await source.manifest(image.root.manifest)
    if (manifest.kind !== 'image') throw new Error('it is an index')
    const config = JSON.parse(Buffer.from(one.platforms[0]?.config.bytes ?? '').toString()) as {
      rootfs: {diff_ids: string[]}
    }
    config.rootfs.diff_ids.reverse()
    const turned = blobOf(Buffer.from(JSON.stringify(config)), manifest.config.mediaType)
    await sink.announce?.(manifest, turned)
    const [first, second] = manifest.layers
    if (first === undefined || second === undefined) throw new Error('it has too few layers')
    expect(await errorOf(sink.putBlob('image', source.blob(first)))).toMatchObject({
      code: 'DIGEST_MISMATCH',
      side: 'source',
      message: expect.stringContaining(first.digest) as string,
    })
    // The middle of three is where it was.
    expect(await sink.putBlob('image', source.blob(second))).toMatchObject({how: 'uploaded'})
  })

  test('is not even fetched if the config has another number of layers', async () => {
    await using source = await openLayout(directory, [{image: one}])
    await using sink = await openSink(at('out'))
    const image = await onlyImage(source)
    if (!('manifest' in image.root)) throw new Error('it has no manifest')
    const manifest = await source.manifest(image.root.manifest)
    if (manifest.kind !== 'image' || sink.announce === undefined) throw new Error('it cannot be announced')
    const config = blobOf(Buffer.from('{"rootfs":{"diff_ids":[]}}'), manifest.config.mediaType)
    expect(await errorOf(sink.announce(manifest, config))).toMatchObject({code: 'DIGEST_MISMATCH'})
  })

  test('in zstd is unpacked', async () => {
    const [layer] = one.platforms[0]?.layers ?? []
    await using sink = await openSink(at('out'))
    const packed = await compress(layer?.plain ?? Buffer.alloc(0), {type: 'zstd'})
    await sink.putBlob('image', blobOf(packed, mediaTypes.ociLayerZstd))
    expect(await sink.hasBlob('image', digestOf(packed))).toBe(true)
  })
})

function damaged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy.fill(0xff, 30, 50)
  return copy
}

function blobOf(bytes: Uint8Array, mediaType: string): BlobSource {
  return memoryBlob({bytes, descriptor: {mediaType, digest: digestOf(bytes), size: bytes.length}})
}
