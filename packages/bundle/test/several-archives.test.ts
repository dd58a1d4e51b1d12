import {execFile} from 'node:child_process'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {compress, makeTempDir, type Compression} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {literalTar, type LiteralEntry} from './fixtures/literal-tar.js'
import {namesOf, openFile, readWhole, type Opened} from './fixtures/opened.js'
import {
  blobEntry,
  config,
  descriptor,
  image,
  indexJson,
  json,
  OCI_LAYOUT,
  ociManifest,
  plainLayer,
} from './fixtures/parts.js'

function docker(tag: string): readonly LiteralEntry[] {
  const layer = plainLayer(tag)
  const own = config(layer)
  return [
    {path: `${layer.hex}.tar`, content: layer.bytes},
    {path: `${own.hex}.json`, content: own.bytes},
    json('manifest.json', [{Config: `${own.hex}.json`, RepoTags: [tag], Layers: [`${layer.hex}.tar`]}]),
  ]
}
/** As docker 25 and later save an image that they pulled as a docker-archive before. */
function newDocker(tag: string): readonly LiteralEntry[] {
  const layer = plainLayer(tag)
  const own = config(layer)
  const manifest = ociManifest({config: own, layers: [layer], layerType: mediaTypes.ociLayer})
  return [
    ...[layer, own, manifest].map((of) => blobEntry(of)),
    indexJson([
      descriptor(mediaTypes.ociManifest, manifest, {
        annotations: {'io.containerd.image.name': `docker.io/${tag}`},
      }),
    ]),
    json('manifest.json', [
      {Config: `blobs/sha256/${own.hex}`, RepoTags: [tag], Layers: [`blobs/sha256/${layer.hex}`]},
    ]),
    OCI_LAYOUT,
  ]
}
function layout(name: string): readonly LiteralEntry[] {
  const of = image(name)
  const annotations = {'io.containerd.image.name': name}
  return [
    ...of.blobs,
    indexJson([descriptor(mediaTypes.ociManifest, of.manifest, {annotations})]),
    OCI_LAYOUT,
  ]
}

/** Appends as `tar -A` does: over the end mark, so that later members of a name replace earlier ones. */
async function appended(...archives: readonly (readonly LiteralEntry[])[]): Promise<Buffer> {
  await using directory = await makeTempDir()
  const files = archives.map((_, index) => join(directory.path, `${index}.tar`))
  for (const [index, entries] of archives.entries()) await writeFile(files[index] ?? '', literalTar(entries))
  const [first = '', ...rest] = files
  await promisify(execFile)('tar', ['-Af', first, ...rest])
  return readFile(first)
}

async function readAllOf({source, images}: Opened): Promise<readonly string[]> {
  for (const found of images) expect((await readWhole(source, found)).length).toBeGreaterThan(1)
  return namesOf(images).toSorted()
}

test.each<[string, readonly (readonly LiteralEntry[])[], readonly string[]]>([
  ['docker-archives', [docker('a/one:1'), docker('a/two:2')], ['docker.io/a/one:1', 'docker.io/a/two:2']],
  ['layouts', [layout('x.io/one:1'), layout('x.io/two:2')], ['x.io/one:1', 'x.io/two:2']],
  [
    'archives of docker 25',
    [newDocker('a/one:1'), newDocker('a/two:2')],
    ['docker.io/a/one:1', 'docker.io/a/two:2'],
  ],
  [
    'a docker-archive and a layout',
    [docker('a/one:1'), layout('x.io/two:2')],
    ['docker.io/a/one:1', 'x.io/two:2'],
  ],
  [
    'a layout and a docker-archive',
    [layout('x.io/one:1'), docker('a/two:2')],
    ['docker.io/a/two:2', 'x.io/one:1'],
  ],
  [
    'an archive of docker 25 and an older one',
    [newDocker('a/one:1'), docker('a/two:2')],
    ['docker.io/a/one:1', 'docker.io/a/two:2'],
  ],
])('tar -A of %s keeps the images of both', async (_what, archives, names) => {
  const warnings: string[] = []
  await using bundle = await openFile(await appended(...archives), {onWarning: (text) => warnings.push(text)})
  expect(await readAllOf(bundle)).toEqual(names)
  expect(bundle.source.unused).toEqual([])
  const lists = archives.map((entries) => entries.filter(({path}) => /^(?:index|manifest)\.json$/.test(path)))
  const isReplaced = lists[0]?.some(({path}) => lists[1]?.some((later) => later.path === path))
  expect(warnings.join('\n')).toMatch(
    isReplaced === true ? /several lists of images: the images of every list are read/ : /^$/,
  )
})

test('tar -A of an archive to itself is read once, without a warning', async () => {
  const warnings: string[] = []
  const same = docker('a/one:1')
  await using bundle = await openFile(await appended(same, same), {onWarning: (text) => warnings.push(text)})
  expect([namesOf(bundle.images), warnings]).toEqual([['docker.io/a/one:1'], []])
})

const packings: readonly [string, Compression][] = [
  ['no compression', {type: 'none'}],
  ['xz', {type: 'xz'}],
  ['xz in blocks', {type: 'xz', blockSize: 4096}],
  ['zstd', {type: 'zstd'}],
  ['gzip', {type: 'gzip'}],
]

test.each(packings)('an archive behind the end mark is read under %s', async (_what, compression) => {
  const both = Buffer.concat([literalTar(docker('a/one:1')), literalTar(layout('x.io/two:2'))])
  await using bundle = await openFile(await compress(both, compression))
  expect(await readAllOf(bundle)).toEqual(['docker.io/a/one:1', 'x.io/two:2'])
})

test.each(packings)(
  'archives that were compressed one by one are both read under %s',
  async (_what, compression) => {
    const parts = [literalTar(docker('a/one:1')), literalTar(layout('x.io/two:2'))]
    const packed = await Promise.all(parts.map((part) => compress(part, compression)))
    await using bundle = await openFile(Buffer.concat(packed))
    expect(await readAllOf(bundle)).toEqual(['docker.io/a/one:1', 'x.io/two:2'])
  },
)

test.each(packings)(
  'bytes behind the end mark are a warning with their number under %s',
  async (_what, compression) => {
    const warnings: string[] = []
    const plain = Buffer.concat([
      literalTar(docker('a/one:1')),
      Buffer.alloc(3000),
      Buffer.from('no archive'),
    ])
    await using bundle = await openFile(await compress(plain, compression), {
      onWarning: (text) => warnings.push(text),
    })
    expect([namesOf(bundle.images), warnings]).toEqual([
      ['docker.io/a/one:1'],
      ['10 bytes lie behind its end and are no archive'],
    ])
  },
)

test('an imgpkg tar beside a layout is read, too', async () => {
  const of = image('bundled')
  const ref = `x.io/bundled@${of.manifest.digest}`
  const item = {
    Image: {
      Refs: [ref],
      Layers: [],
      Config: {Digest: of.config.digest, Raw: of.config.bytes.toString()},
      Manifest: {
        MediaType: mediaTypes.ociManifest,
        Digest: of.manifest.digest,
        Raw: of.manifest.bytes.toString(),
      },
    },
  }
  const imgpkg = [
    json('manifest.json', [item]),
    ...of.packed.map(({hex, bytes}) => ({path: `sha256-${hex}.tar.gz`, content: bytes})),
  ]
  await using bundle = await openFile(literalTar([...layout('x.io/one:1'), ...imgpkg]))
  expect(await readAllOf(bundle)).toEqual([ref, 'x.io/one:1'])
})
