import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {createReadStream} from 'node:fs'
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  compress,
  dockerArchive,
  makeImage,
  makeTempDir,
  ociLayout,
  tarBytes,
  writeDirectory,
  type Compression,
  type Entry,
  type TempDir,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {faultsIn, named, push, writeBundle} from './push.js'

/** The first of these can be decoded from their start alone: their plain content is read twice, or kept. */
const sequential: readonly (readonly [string, Compression])[] = [
  ['xz of one block', {type: 'xz'}],
  ['gzip', {type: 'gzip'}],
  ['zstd with a long window', {type: 'zstd', windowLog: 27}],
]
const compressions: readonly (readonly [string, Compression])[] = [
  ...sequential,
  ['plain', {type: 'none'}],
  ['xz of many blocks', {type: 'xz', blockSize: 16_384}],
  ['xz of many streams with padding', {type: 'xz', streamSize: 30_000, padding: 8}],
  ['zstd of many frames', {type: 'zstd', frameSize: 20_000}],
  ['gzip of many members', {type: 'gzip', memberSize: 20_000}],
]

describe('a bundle is read', () => {
  let directory: TempDir
  let images: readonly TestImage[]
  let entries: readonly Entry[]
  const at = (name: string): string => join(directory.path, name)
  const names = ['gcr.io/team/one:v1', 'gcr.io/team/two:v1']
  const nameOf = (index: number): string => names[index] ?? ''

  beforeAll(async () => {
    directory = await makeTempDir()
    images = await Promise.all(['one', 'two'].map((seed) => makeImage({seed, layerSize: 40_000})))
    entries = ociLayout(images.map((image, index) => named(nameOf(index), image)))
    await mkdir(at('scratch'))
  })
  afterAll(() => directory.remove())

  /** Pushes, with what the registry then has under both names. */
  const pushBoth = async (
    source: string,
    options: {readonly flags?: readonly string[]; readonly stdin?: AsyncIterable<Uint8Array>} = {},
  ) => {
    await using registry = await startRegistry({strict: true})
    const {code, stderr, report} = await push({source, registry, ...options})
    return {
      code,
      stderr,
      digests: ['team/one', 'team/two'].map((name) => registry.manifest(name, 'v1')?.digest),
      faults: faultsIn(registry),
      scratchPeak: report.totals.bytes.scratchPeak,
    }
  }
  const whole = () => ({
    code: 0,
    digests: images.map(({root}) => root.descriptor.digest),
    faults: [],
  })

  test.each(compressions)(
    '%s, with a scratch directory that is empty again afterwards',
    async (_name, compression) => {
      const source = await writeBundle(at('bundle'), entries, compression)
      expect(await pushBoth(source, {flags: argv`--scratch ${at('scratch')}`})).toMatchObject(whole())
      expect(await readdir(at('scratch'))).toEqual([])
    },
  )

  test.each(sequential)('%s, without scratch', async (_name, compression) => {
    const source = await writeBundle(at('bundle'), entries, compression)
    const result = await pushBoth(source, {flags: argv`--no-scratch`})
    expect(result).toMatchObject({...whole(), scratchPeak: 0})
  })

  test.each(compressions.slice(1, 5))('%s from standard input', async (_name, compression) => {
    const source = await writeBundle(at('bundle'), entries, compression)
    const flags = argv`--scratch ${at('scratch')}`
    expect(await pushBoth('-', {stdin: createReadStream(source), flags})).toMatchObject(whole())
    expect(await readdir(at('scratch'))).toEqual([])
  })

  test('from standard input without scratch not at all, where its index comes last; the error names the way out', async () => {
    await using registry = await startRegistry({strict: true})
    await writeFile(at('last.tar'), await tarBytes(entries))
    const {code, stderr} = await push({
      source: '-',
      registry,
      stdin: createReadStream(at('last.tar')),
      flags: argv`--no-scratch`,
    })
    expect({code}, `printed: ${stderr}`).toEqual({code: 2})
    expect(stderr).toMatch(/^error: source: .*standard input/m)
    expect(stderr).toMatch(/^hint: /m)
    expect(registry.repositories()).toEqual([])
  })

  const shapes: readonly (readonly [string, () => Promise<string>])[] = [
    [
      'as a directory of archives, one an image, as bmpackages is unpacked',
      async () => {
        await mkdir(at('many'), {recursive: true})
        for (const [index, image] of images.entries()) {
          await writeBundle(at(`many/${index}.tar`), ociLayout([named(nameOf(index), image)]), {type: 'gzip'})
        }
        return at('many')
      },
    ],
    [
      'as an archive of archives, one an image',
      async () => {
        const inner = await Promise.all(
          images.map(async (image, index) => ({
            path: `packages/${index}.tar`,
            bytes: await tarBytes(ociLayout([named(nameOf(index), image)])),
          })),
        )
        return writeBundle(at('nested.tar.xz'), inner, {type: 'xz', blockSize: 32_768})
      },
    ],
    [
      'with ./ in front of every path',
      async () => {
        await writeFile(at('dotted.tar'), await tarBytes(entries, {prefix: './'}))
        return at('dotted.tar')
      },
    ],
    [
      'as an OCI layout of a directory',
      async () => {
        await writeDirectory(at('layout'), entries)
        return at('layout')
      },
    ],
  ]
  test.each(shapes)('%s', async (_name, make) => {
    expect(await pushBoth(await make())).toMatchObject(whole())
  })

  test.each([
    ['podman save -m', 'skopeo'],
    ['crane', 'crane'],
  ] as const)(
    'as a docker-archive of two images as %s writes it: the same digests every time',
    async (_name, shape) => {
      const archive = images.map((image, index) => ({image, tags: [nameOf(index)]}))
      const bytes = await tarBytes(dockerArchive(archive, {shape}))
      await writeFile(at('docker.tar'), bytes)
      await writeFile(at('docker.tar.xz'), await compress(bytes, {type: 'xz', blockSize: 32_768}))
      const digests: unknown[] = []
      for (const [source, flags] of [
        [at('docker.tar'), []],
        [at('docker.tar.xz'), argv`--concurrency 1`],
      ] as const) {
        await using registry = await startRegistry({strict: true})
        const {code, stderr, report} = await push({source, registry, flags})
        expect({code}, `printed: ${stderr}`).toEqual({code: 0})
        expect(faultsIn(registry)).toEqual([])
        digests.push(report.images.map(({targetDigest}) => targetDigest))
      }
      expect(digests[0]).toHaveLength(2)
      expect(digests[1]).toEqual(digests[0])
    },
  )

  test.each([
    ['gzip', 'application/vnd.docker.image.rootfs.diff.tar.gzip|application/vnd.oci.image.layer.v1.tar+gzip'],
    ['zstd', 'application/vnd.oci.image.layer.v1.tar+zstd'],
    ['none', 'application/vnd.docker.image.rootfs.diff.tar|application/vnd.oci.image.layer.v1.tar'],
  ])('with --layer-compression %s plain layers go out so', async (compression, mediaTypes) => {
    await using registry = await startRegistry({strict: true})
    const [image] = images
    if (image === undefined) throw new Error('no image')
    const source = await writeBundle(at('plain.tar'), dockerArchive([{image, tags: [nameOf(0)]}]))
    const flags = argv`--layer-compression ${compression}`
    const {code, stderr} = await push({source, registry, flags})
    expect({code}, `printed: ${stderr}`).toEqual({code: 0})
    const bytes = registry.manifest('team/one', 'v1')?.bytes ?? new Uint8Array()
    const {layers} = JSON.parse(Buffer.from(bytes).toString()) as {layers: {mediaType: string}[]}
    expect(layers).toHaveLength(2)
    for (const {mediaType} of layers) expect(mediaTypes.split('|')).toContain(mediaType)
    expect(faultsIn(registry)).toEqual([])

    const again = await push({source, registry, flags})
    expect(again.report.totals.bytes.uploaded).toBe(0)
    expect(await readFile(source)).toBeDefined()
  })
})
