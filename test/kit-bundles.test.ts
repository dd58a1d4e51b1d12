import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {gunzipSync} from 'node:zlib'
import {digestOf} from '@airgap-mirror/oci-client/model'
import {
  compress,
  dockerArchive,
  lacksTool,
  makeImage,
  makeLayers,
  ociLayout,
  requireTool,
  runChild,
  skopeo,
  skopeoDirectory,
  tarBytes,
  withTempDir,
  writeDirectory,
  writeTar,
  type Compression,
  type Entry,
} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'

function pathsOf(entries: readonly Entry[]): readonly string[] {
  return entries.map(({path}) => path)
}

describe('images', () => {
  test('are the same for the same seed, and share the layers they are given', async () => {
    const base = await makeLayers({seed: 'base', layers: 1})
    const make = (seed: string): ReturnType<typeof makeImage> =>
      makeImage({seed, base, platforms: ['linux/amd64', 'linux/arm64/v8']})
    const [one, same, other] = await Promise.all([make('1'), make('1'), make('2')])
    expect(one.root.descriptor).toEqual(same.root.descriptor)
    expect(one.root.descriptor.digest).not.toBe(other.root.descriptor.digest)
    expect(one.blobs).toHaveLength(2 + 1 + 2 * 2)
    for (const {descriptor, bytes} of [...one.blobs, ...one.manifests]) {
      expect([descriptor.digest, descriptor.size]).toEqual([digestOf(bytes), bytes.length])
    }
    for (const {plain, diffId, bytes} of one.platforms[0]?.layers ?? []) {
      expect([digestOf(plain), gunzipSync(bytes).equals(plain)]).toEqual([diffId, true])
    }
  })

  test('compress as real ones do, or not at all', async () => {
    const ratio = async (content: 'text' | 'random'): Promise<number> => {
      const [layer] = await makeLayers({seed: 'ratio', layers: 1, layerSize: 300_000, content})
      return (layer?.bytes.length ?? 0) / (layer?.plain.length ?? 1)
    }
    expect(await ratio('random')).toBeGreaterThan(0.98)
    const text = await ratio('text')
    expect([text > 0.2, text < 0.6, text]).toEqual([true, true, text])
  })
})

describe('entries', () => {
  test('come in the order that is asked for, always the same for a seed', async () => {
    const image = await makeImage({seed: 'order'})
    const entries = ociLayout([{image}])
    const paths = async (order: 'producer' | 'index-first' | {seed: string}): Promise<readonly string[]> =>
      withTempDir(async (directory) => {
        await writeTar(join(directory, 'x.tar'), entries, {order, prefix: './'})
        const {stdout} = await runChild('tar', ['-tf', join(directory, 'x.tar')], {
          env: {PATH: process.env['PATH']},
        })
        return stdout
          .trim()
          .split('\n')
          .map((path) => path.replace(/^\.\/|\/$/g, ''))
      })
    expect(await paths('producer')).toEqual(pathsOf(entries))
    expect((await paths('index-first')).slice(0, 2)).toEqual(['index.json', 'oci-layout'])
    const mixed = await paths({seed: '7'})
    expect([mixed, mixed.toSorted()]).toEqual([await paths({seed: '7'}), pathsOf(entries).toSorted()])
  })

  test('of a sparse index lack what was not kept', async () => {
    const image = await makeImage({seed: 'sparse', platforms: ['linux/amd64', 'linux/arm64']})
    const [amd64, arm64] = image.platforms
    const paths = pathsOf(ociLayout([{image, keep: (platform) => platform === amd64}]))
    const pathOf = (digest = ''): string => `blobs/sha256/${digest.slice(7)}`
    expect(paths).toContain(pathOf(image.root.descriptor.digest))
    expect(paths).toContain(pathOf(amd64?.manifest.descriptor.digest))
    expect(paths).not.toContain(pathOf(arm64?.manifest.descriptor.digest))
  })
})

describe.skipIf(lacksTool('skopeo'))('Debian’s skopeo reads', () => {
  test('what the kit writes as OCI layout, docker-archive and dir', async () => {
    const image = await makeImage({seed: 'read', format: 'docker'})
    const oci = await makeImage({seed: 'read', platforms: ['linux/amd64', 'linux/s390x']})
    const named = [
      {image, tags: ['example.com/a/b:v1'], annotations: {'org.opencontainers.image.ref.name': 'v1'}},
    ]
    const digestIn = async (source: string): Promise<unknown> =>
      digestOf(Buffer.from(await skopeo(['inspect', '--raw', source])))
    const layersIn = async (source: string): Promise<unknown> =>
      (JSON.parse(await skopeo(['inspect', '--config', source])) as {rootfs: {diff_ids: unknown}}).rootfs
        .diff_ids
    const expected = image.platforms[0]?.layers.map(({diffId}) => diffId)
    await withTempDir(async (directory) => {
      const at = (name: string): string => join(directory, name)
      await writeTar(at('oci.tar'), ociLayout([{image: oci}]))
      expect(await digestIn(`oci-archive:${at('oci.tar')}`)).toBe(oci.root.descriptor.digest)
      await writeDirectory(at('dir'), skopeoDirectory(image))
      expect(await digestIn(`dir:${at('dir')}`)).toBe(image.root.descriptor.digest)
      for (const shape of ['skopeo', 'crane'] as const) {
        await writeTar(at('docker.tar'), dockerArchive(named, {shape}))
        expect(await layersIn(`docker-archive:${at('docker.tar')}:example.com/a/b:v1`)).toEqual(expected)
      }
    })
  })
})

describe('compressed', () => {
  const cases: readonly (readonly [string, string, Compression])[] = [
    ['xz, one block', 'xz', {type: 'xz'}],
    ['xz, many blocks', 'xz', {type: 'xz', blockSize: 30_000}],
    [
      'xz, many streams with padding',
      'xz',
      {type: 'xz', streamSize: 60_000, padding: 8, check: 'CHECK_SHA256'},
    ],
    ['gzip, one member', 'gzip', {type: 'gzip'}],
    ['gzip, many members', 'gzip', {type: 'gzip', memberSize: 60_000}],
    ['zstd, one frame', 'zstd', {type: 'zstd'}],
    ['zstd, many frames with a wide window', 'zstd', {type: 'zstd', frameSize: 60_000, windowLog: 25}],
  ]

  test.for(cases)('%s: read by the program itself', async ([, program, compression], context) => {
    requireTool(context, program)
    const image = await makeImage({seed: 'compressed', layerSize: 100_000})
    const plain = await tarBytes(ociLayout([{image}]))
    const stdin = await compress(plain, compression)
    await withTempDir(async (directory) => {
      await writeFile(join(directory, 'in'), stdin)
      const {stdout, code} = await runChild('sh', ['-c', `${program} -dc <in | sha256sum`], {
        cwd: directory,
        env: {PATH: process.env['PATH']},
      })
      expect([code, `sha256:${stdout.slice(0, 64)}`]).toEqual([0, digestOf(plain)])
    })
  })

  test('xz has as many blocks and streams as were asked for', async (context) => {
    requireTool(context, 'xz')
    const plain = Buffer.alloc(200_000, 'x')
    const count = async (compression: Compression): Promise<readonly string[]> =>
      withTempDir(async (directory) => {
        await writeFile(join(directory, 'x.xz'), await compress(plain, compression))
        const {stdout} = await runChild('xz', ['--robot', '-l', 'x.xz'], {
          cwd: directory,
          env: {PATH: process.env['PATH']},
        })
        return /^totals\t(\d+)\t(\d+)/m.exec(stdout)?.slice(1) ?? []
      })
    expect(await count({type: 'xz'})).toEqual(['1', '1'])
    expect(await count({type: 'xz', blockSize: 50_000})).toEqual(['1', '4'])
    expect(await count({type: 'xz', streamSize: 100_000, blockSize: 50_000, padding: 4})).toEqual(['2', '4'])
  })
})
