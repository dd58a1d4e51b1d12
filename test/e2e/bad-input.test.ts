import {afterAll, beforeAll, describe, expect, test} from 'vitest'
import {mkdir, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  dockerArchive,
  makeImage,
  ociLayout,
  seededBytes,
  withTempDir,
  writeDirectory,
  type Compression,
  type Entry,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {startRegistry, type TestRegistry} from '@airgap-mirror/test/registry'
import {cutShort, flipped, replaced, rewrite, without} from './damage.js'
import {errorsOf, faultsIn, named, push, writeBundle} from './push.js'

type Make = (directory: string) => Promise<string>

let image: TestImage
function layout(): readonly Entry[] {
  return ociLayout([named('gcr.io/team/app:v1', image)])
}
function docker(): readonly Entry[] {
  return dockerArchive([{image, tags: ['gcr.io/team/app:v1']}])
}
function text(content: string) {
  return (): Uint8Array => Buffer.from(content)
}

function bundle(entries: () => readonly Entry[], compression?: Compression): Make {
  return (directory) => writeBundle(join(directory, 'bundle'), entries(), compression)
}
function file(content: string | Uint8Array): Make {
  return async (directory) => {
    await writeFile(join(directory, 'bundle'), content)
    return join(directory, 'bundle')
  }
}
function tree(entries: () => readonly Entry[]): Make {
  return async (directory) => {
    await writeDirectory(join(directory, 'bundle'), entries())
    return join(directory, 'bundle')
  }
}
function cut(make: Make, share: number): Make {
  return async (directory) => cutShort(await make(directory), share)
}
function bitFlipped(make: Make, fromEnd: number): Make {
  return async (directory) =>
    rewrite(await make(directory), (bytes) => flipped(bytes, bytes.length - fromEnd))
}

const xz = {type: 'xz'} as const
const blocks = {type: 'xz', blockSize: 8192} as const
const zstd = {type: 'zstd'} as const
const gzip = {type: 'gzip'} as const

/** Name of the input, the function that makes it, and the expected error. */
const cases: readonly (readonly [string, Make, RegExp])[] = [
  ['a file that is not there', async (directory) => join(directory, 'nothing'), /cannot read .*nothing/],
  [
    'a path through a file',
    async (directory) => join(await file('x')(directory), 'inner'),
    /cannot read .*inner/,
  ],
  ['a text file', file('hello, these are no images\n'), /is not an archive/],
  ['an empty file', file(''), /is empty/],
  ['random bytes', file(seededBytes('noise', 100_000)), /is not an archive/],
  ['an archive without entries', bundle(() => []), /is empty/],
  ['an empty directory', async (directory) => directory, /is empty/],
  [
    'an archive of other things, with a list of what it holds',
    bundle(() => [
      {path: 'notes/readme.txt', bytes: Buffer.from('hi')},
      {path: 'installer.sh', bytes: Buffer.from('#!/bin/sh\n')},
    ]),
    /found no image .*readme\.txt .*installer\.sh/,
  ],
  ['compressed text', async (directory) => bundleOfText(directory), /is not an archive/],
  [
    'an OCI layout whose index is empty',
    bundle(() => replaced(layout(), 'index.json', text('{"schemaVersion":2,"manifests":[]}'))),
    /no images/,
  ],
  [
    'index.json that is cut short',
    bundle(() => replaced(layout(), 'index.json', (bytes) => bytes.subarray(0, 40))),
    /index\.json is not JSON/,
  ],
  [
    'index.json with a descriptor that is none',
    bundle(() => replaced(layout(), 'index.json', text('{"manifests":[{"digest":"sha256:12"}]}'))),
    /index\.json.*has an invalid descriptor/,
  ],
  [
    'manifest.json that is null',
    bundle(() => replaced(docker(), 'manifest.json', text('null'))),
    /manifest\.json/,
  ],
  [
    'manifest.json of 100 MB',
    bundle(() => replaced(docker(), 'manifest.json', () => Buffer.alloc(100_000_000, ' ')), gzip),
    /limit/,
  ],
  [
    'index.json that is a link to itself',
    bundle(() => [...without(layout(), 'index.json'), {path: 'index.json', symlink: 'index.json'}]),
    /index\.json/,
  ],
  [
    'links that lead in a circle',
    bundle(() => [
      ...without(layout(), 'index.json'),
      {path: 'index.json', symlink: 'a/b'},
      {path: 'a/b', symlink: '../index.json'},
    ]),
    /index\.json/,
  ],
  [
    'a directory whose blobs are links that lead out of it',
    async (directory) => linkedOut(directory),
    /is not in the bundle/,
  ],
  ['tar cut short', cut(bundle(layout), 0.5), /cut short|truncated|ends|does not end|has no end/i],
  [
    'tar with a damaged header',
    async (directory) => rewrite(await bundle(layout)(directory), (bytes) => flipped(bytes, 1024 + 3)),
    /header|checksum/i,
  ],
  ...(
    [
      ['xz', xz],
      ['xz of many blocks', blocks],
      ['zstd', zstd],
      ['gzip', gzip],
    ] as const
  ).map(
    ([name, compression]) =>
      [
        `${name} cut short`,
        cut(bundle(layout, compression), 0.6),
        /cut short|truncated|ends|does not end|has no end/i,
      ] as const,
  ),
  ['xz with a damaged index', bitFlipped(bundle(layout, blocks), 16), /damaged|corrupt/i],
  ['xz with a damaged footer', bitFlipped(bundle(layout, xz), 3), /./],
  ['gzip damaged in the middle', bitFlipped(bundle(layout, gzip), 5000), /damaged|corrupt/i],
  ['gzip with a wrong checksum', bitFlipped(bundle(layout, gzip), 6), /damaged|corrupt/i],
  [
    'an image whose manifest is not what its digest says',
    bundle(() => replaced(layout(), blobPath(image.root.descriptor.digest), flipped)),
    /digest/,
  ],
  [
    'an image whose manifest has 100 MB',
    bundle(() => bigManifest(), gzip),
    /100000000 bytes: over the limit/,
  ],
  [
    'an image whose manifest is missing',
    bundle(() => without(layout(), blobPath(image.root.descriptor.digest))),
    /not in the bundle/,
  ],
  [
    'an image whose config is missing, in a docker-archive',
    bundle(() => without(docker(), configPath())),
    /\.json/,
  ],
  [
    'a docker-archive whose layer leads out of it',
    bundle(() =>
      replaced(docker(), 'manifest.json', (bytes) =>
        Buffer.from(
          Buffer.from(bytes)
            .toString()
            .replace(/"[0-9a-f]{64}\.tar"/, '"../../../etc/passwd"'),
        ),
      ),
    ),
    /the layer etc.passwd of gcr.io.team.app:v1 is not there/,
  ],
]

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}
function configPath(): string {
  return `${image.platforms[0]?.config.descriptor.digest.slice('sha256:'.length)}.json`
}
const bundleOfText: Make = async (directory) => {
  const {compress} = await import('@airgap-mirror/test/kit')
  return file(await compress(Buffer.from('no tar at all\n'.repeat(100)), xz))(directory)
}
const linkedOut: Make = async (directory) => {
  const outside = await tree(layout)(directory)
  const inside = join(directory, 'inside')
  await mkdir(join(inside, 'blobs'), {recursive: true})
  await symlink(join(outside, 'index.json'), join(inside, 'index.json'))
  await symlink(join(outside, 'blobs', 'sha256'), join(inside, 'blobs', 'sha256'))
  await writeFile(join(inside, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  return inside
}
function bigManifest(): readonly Entry[] {
  const {digest} = image.root.descriptor
  return replaced(layout(), blobPath(digest), () => Buffer.alloc(100_000_000, ' '))
}

describe('exit code 2, an error of the source side and a hint, and nothing sent, for', () => {
  let registry: TestRegistry

  beforeAll(async () => {
    image = await makeImage({seed: 'bad-input', layerSize: 30_000})
    registry = await startRegistry({strict: true})
  })
  afterAll(() => registry.close())

  test.each(cases)('%s', (_name, make, error) =>
    withTempDir(async (directory) => {
      registry.clearLog()
      const source = await make(directory)
      const {code, stderr} = await push({source, registry})
      expect({code}, `printed: ${stderr}`).toEqual({code: 2})
      expect(errorsOf('source', stderr)).toMatch(error)
      expect(stderr).toMatch(/^hint: /m)
      expect(stderr).not.toMatch(/\n\s+at |a bug in mirror/)
      expect(registry.requests.filter(({method}) => method !== 'GET' && method !== 'HEAD')).toEqual([])
      expect(registry.repositories()).toEqual([])
      expect(faultsIn(registry)).toEqual([])
    }),
  )
})
