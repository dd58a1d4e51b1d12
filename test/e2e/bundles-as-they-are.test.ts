import {createHash} from 'node:crypto'
import {copyFile, mkdir, readFile, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {gzipSync} from 'node:zlib'
import {afterAll, beforeAll, expect, test} from 'vitest'
import {makeTempDir, requireTool, runChild, runMirror, type TempDir} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {argv} from './argv.js'
import {push, type PushResult} from './push.js'

let temp: TempDir
let registry: TestRegistry
beforeAll(async () => {
  temp = await makeTempDir()
  registry = await startRegistry()
})
afterAll(async () => {
  await registry.close()
  await temp.remove()
})

function input(name: string): string {
  return fileURLToPath(new URL(`../inputs/${name}.tar`, import.meta.url))
}
function at(name: string): string {
  return join(temp.path, name)
}
function targets({report}: PushResult): readonly string[] {
  return report.images.map(({target, status}) => `${target.slice(target.indexOf('/') + 1)} ${status}`)
}

let count = 0
/** Pushes into a namespace of its own. */
async function pushed(
  source: string,
  ...flags: readonly string[]
): Promise<PushResult & {readonly namespace: string}> {
  count += 1
  const namespace = `n${count}`
  return Object.assign(await push({source, registry, namespace, flags}), {namespace})
}

interface StoredManifest {
  readonly layers: readonly {
    readonly mediaType: string
    readonly digest: string
    readonly urls?: readonly string[]
  }[]
}

async function manifestAt(path: string, reference: string): Promise<StoredManifest> {
  const response = await fetch(`${registry.url}/v2/${path}/manifests/${reference}`, {
    headers: {accept: 'application/vnd.oci.image.manifest.v1+json'},
  })
  return (await response.json()) as StoredManifest
}

async function mapFile(...lines: readonly string[]): Promise<string> {
  count += 1
  const path = at(`map-${count}`)
  await writeFile(path, lines.join('\n'))
  return path
}

test('a zstd layer that is named .tar.gz is pushed as zstd', async () => {
  const result = await pushed(input('zstd-layer-named-gz'))
  expect(result.code).toBe(0)
  const [image] = result.report.images
  const [, path = '', tag = ''] = /^[^/]+\/(.+):([^:]+)$/.exec(image?.target ?? '') ?? []
  const {layers} = await manifestAt(path, tag)
  expect(layers.map(({mediaType}) => mediaType)).toEqual(['application/vnd.oci.image.layer.v1.tar+zstd'])
})

test('an xz layer is unpacked and compressed anew', async () => {
  const result = await pushed(input('xz-layer'))
  expect(result.code).toBe(0)
  const [image] = result.report.images
  const [, path = '', tag = ''] = /^[^/]+\/(.+):([^:]+)$/.exec(image?.target ?? '') ?? []
  const {layers} = await manifestAt(path, tag)
  expect(layers.map(({mediaType}) => mediaType)).toEqual(['application/vnd.oci.image.layer.v1.tar+gzip'])
})

test('a diff id that is the digest of the compressed layer is told as such', async () => {
  const result = await pushed(input('xz-layer-diffid-of-compressed'))
  expect(result.code).not.toBe(0)
  expect(result.report.images[0]?.error?.message).toMatch(/diff id .* is the digest of the compressed file/)
})

test('images that were saved by ID are listed with their IDs, which --map takes', async () => {
  const first = await pushed(input('two-images-saved-by-id'))
  expect(first.code).toBe(2)
  expect(first.stderr).toMatch(/7f9fefbc816c/)
  expect(first.stderr).toMatch(/2b02f15d7022/)
  const map = await mapFile(
    '7f9fefbc816c one:v1',
    'sha256:2b02f15d70221b8abb3abf67b26b6bae8a1af9b05f9ab8e8bf899a0df0ee254d two:v1',
  )
  const second = await pushed(input('two-images-saved-by-id'), '--map', map)
  expect([second.code, targets(second)]).toEqual([
    0,
    [`${second.namespace}/one:v1 pushed`, `${second.namespace}/two:v1 pushed`],
  ])
})

test('copy takes the place of an image in a docker-archive, as skopeo does', async () => {
  const result = await runMirror(
    argv`copy docker-archive:${input('two-images-saved-by-id')}:@1 docker://${registry.host}/by/place:v1 --plain-http`,
  )
  expect([result.code, result.stderr]).toMatchObject([0, expect.not.stringContaining('error')])
})

test('one name of two digests stops only its own images, and --map chooses by digest', async () => {
  const first = await pushed(input('one-name-two-digests'))
  expect(first.code).not.toBe(0)
  expect(first.report.images.filter(({error}) => error?.code === 'NAME_COLLISION')).toHaveLength(1)
  const digests = first.report.images[0]?.error?.message.match(/sha256:[0-9a-f]{64}/g) ?? []
  expect(first.report.images[0]?.error?.hint).toContain(`${digests[0]} REPOSITORY:TAG`)
  const map = await mapFile(`${digests[0]} chosen:v1`)
  const second = await pushed(input('one-name-two-digests'), '--map', map)
  expect(second.code).toBe(0)
  expect(targets(second)).toContain(`${second.namespace}/chosen:v1 pushed`)
})

test('both archives of one file are read', async () => {
  const result = await pushed(input('two-archives-one-file'))
  expect([result.code, result.report.images.length]).toEqual([0, 3])
})

test('both archives of one compressed file are read', async () => {
  await writeFile(at('two.tar.gz'), gzipSync(await readFile(input('two-archives-one-file'))))
  const result = await pushed(at('two.tar.gz'))
  expect([result.code, result.report.images.length]).toEqual([0, 3])
})

test('bytes behind the end of an archive are a warning with their number', async () => {
  await writeFile(
    at('junk.tar'),
    Buffer.concat([await readFile(input('windows-member-names')), Buffer.from('junk!')]),
  )
  const result = await pushed(at('junk.tar'))
  expect(result.code).toBe(0)
  expect(result.stderr).toMatch(/warning: 5 bytes lie behind its end/)
  expect(result.report).toMatchObject({unused: [{path: '', bytes: 5}]})
})

test('children of an index that are no manifests go as blobs', async () => {
  const result = await pushed(input('buildkit-cache-index'))
  expect([result.code, targets(result).length]).toEqual([0, 1])
  expect(registry.fsck()).toEqual([])
})

test('attestations of buildx do not count as platforms', async () => {
  const result = await pushed(
    input('buildx-attestations'),
    '--platform',
    'linux/amd64',
    '--sparse-index',
    'platform',
  )
  expect([result.code, result.report.images[0]?.error]).toEqual([0, undefined])
  expect(result.report.images[0]?.reason).toMatch(/linux\/amd64/)
})

test('members with backslashes in their names are read', async () => {
  expect((await pushed(input('windows-member-names'))).code).toBe(0)
})

test('an absent foreign layer stays in the manifest of an image whose own layer is plain', async () => {
  const result = await pushed(input('windows-base-absent'))
  expect(result.code).toBe(0)
  const {layers} = await manifestAt(`${result.namespace}/rancher/rke2-runtime`, 'v1')
  expect(layers[0]?.urls).toHaveLength(1)
  expect(layers[1]?.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+gzip')
})

test('archives inside with a compression that is not read fail, and the others are pushed', async () => {
  await mkdir(at('mixed'))
  await copyFile(input('windows-member-names'), at('mixed/a.tar'))
  await writeFile(at('mixed/b.tar.lz4'), Buffer.from('04224d186440a7', 'hex'))
  const cut = gzipSync(await readFile(input('two-archives-one-file')))
  await writeFile(at('mixed/c.tar.gz'), cut.subarray(0, cut.length >> 1))
  await writeFile(at('mixed/README.txt'), 'read me')
  const result = await pushed(at('mixed'), '--verbose')
  expect(result.code).toBe(3)
  expect(result.report.images.map(({source, status}) => [source, status])).toEqual([
    [expect.any(String), 'pushed'],
    ['b.tar.lz4', 'failed'],
    ['c.tar.gz', 'failed'],
  ])
  expect(result.report.images[1]?.error?.message).toMatch(/compressed with lz4/)
  expect(result.stderr).toMatch(/not used: README\.txt \(7 bytes\): it is not an archive/)
})

test('an inner archive of bzip2 is read', async (context) => {
  requireTool(context, 'bzip2')
  await mkdir(at('bz2'))
  await copyFile(input('windows-member-names'), at('bz2/a.tar'))
  await runChild('bzip2', [at('bz2/a.tar')], {env: {PATH: process.env['PATH']}})
  expect((await pushed(at('bz2'))).code).toBe(0)
})

test('links at the top of a named directory are followed, and others that lead out are warnings', async () => {
  await mkdir(at('store'))
  await copyFile(input('windows-member-names'), at('store/real.tar'))
  await mkdir(at('linked/below'), {recursive: true})
  await symlink('../store/real.tar', at('linked/bundle.tar'))
  await symlink('../../store/real.tar', at('linked/below/other.tar'))
  const result = await pushed(at('linked'))
  expect([result.code, result.report.images.length]).toEqual([0, 1])
  expect(result.stderr).toMatch(
    /warning: below\/other\.tar is left out: it is a link that leads out of the directory/,
  )
  expect(result.report).toMatchObject({unused: [{path: 'below/other.tar'}]})
})

test('what lies beside a format is read too', async () => {
  await mkdir(at('beside/more'), {recursive: true})
  await runChild('tar', ['-xf', input('one-name-two-digests'), '-C', at('beside')], {
    env: {PATH: process.env['PATH']},
  })
  await copyFile(input('windows-base-absent'), at('beside/more/other.tar'))
  const result = await pushed(at('beside'))
  expect(targets(result)).toContain(`${result.namespace}/rancher/rke2-runtime:v1 pushed`)
})

/** A layout with one image, under a name or none, its manifest known by a digest of the algorithm. */
async function layoutWith(name: string, algorithm: 'sha256' | 'sha512' = 'sha256'): Promise<string> {
  count += 1
  const path = at(`layout-${count}`)
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const digestOf = (bytes: Buffer, by = 'sha256'): string => createHash(by).update(bytes).digest('hex')
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: `sha256:${digestOf(config)}`,
        size: config.length,
      },
      layers: [],
    }),
  )
  const hex = digestOf(manifest, algorithm)
  await mkdir(join(path, 'blobs/sha256'), {recursive: true})
  await mkdir(join(path, 'blobs/sha512'), {recursive: true})
  await writeFile(join(path, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await writeFile(join(path, 'blobs/sha256', digestOf(config)), config)
  await writeFile(join(path, 'blobs', algorithm, hex), manifest)
  await writeFile(
    join(path, 'index.json'),
    JSON.stringify({
      schemaVersion: 2,
      manifests: [
        {
          mediaType,
          digest: `${algorithm}:${hex}`,
          size: manifest.length,
          annotations: {'io.containerd.image.name': name},
        },
      ],
    }),
  )
  return path
}

test('the report has the digest by which the registry knows a manifest of sha512', async () => {
  const result = await pushed(await layoutWith('a.example/b:v1', 'sha512'))
  const [image] = result.report.images
  expect([result.code, image?.digestChanged, image?.reason]).toEqual([
    0,
    true,
    expect.stringMatching(/the registry knows the manifest only as sha256:/),
  ])
  expect(image?.targetDigest).toMatch(/^sha256:[0-9a-f]{64}$/)
})

test.each([
  ['a.example/Team/App:v1'],
  ['a.example/app:v1+build.5'],
  [`a.example/app:${'x'.repeat(129)}`],
  ['docker://a.example/app:v1'],
])('the name %s, which no registry takes, is told with the line of --map that helps', async (name) => {
  const source = await layoutWith(name)
  const first = await pushed(source)
  expect([first.code, first.stderr]).toEqual([
    2,
    expect.stringContaining(`has a name that no registry takes: ${name}`),
  ])
  const line = /a line says: (\S+) REPOSITORY:TAG/.exec(first.stderr)?.[1] ?? ''
  const second = await pushed(source, '--map', await mapFile(`${line} app:v1`))
  expect([second.code, targets(second)]).toEqual([0, [`${second.namespace}/app:v1 pushed`]])
})
