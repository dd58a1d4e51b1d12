import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import type {LiteralEntry} from '../fixtures/literal-tar.js'
import {errorOf, namesOf, openDirectory, openTar, readWhole, rootDigests} from '../fixtures/opened.js'
import {descriptor, image, json, ociIndex} from '../fixtures/parts.js'

const VERSION: LiteralEntry = {path: 'version', content: 'Directory Transport Version: 1.1\n'}
const amd64 = image('app', 'amd64')
const arm64 = image('app', 'arm64')

function single(): readonly LiteralEntry[] {
  return [
    {path: 'manifest.json', content: amd64.manifest.bytes},
    ...[amd64.config, ...amd64.packed].map(({hex, bytes}) => ({path: hex, content: bytes})),
    {path: 'signature-1', content: 'signature'},
    VERSION,
  ]
}

test('a dir: has its one image under its own digest, without a name', async () => {
  await using bundle = await openDirectory(single(), {name: 'saved-app'})
  expect(namesOf(bundle.images)).toEqual(['? saved-app'])
  expect(rootDigests(bundle.images)).toEqual([amd64.manifest.digest])
  expect(bundle.source.access).toBe('random')
  const [found] = bundle.images
  expect(found && new Set(await readWhole(bundle.source, found))).toEqual(
    new Set([amd64.manifest, amd64.config, ...amd64.packed].map(({digest}) => digest)),
  )
})

test('the same in a tar is the same', async () => {
  await using bundle = await openTar(single())
  expect(rootDigests(bundle.images)).toEqual([amd64.manifest.digest])
  expect(bundle.source.description.format).toBe('skopeo-dir')
})

test('children of an index lie beside it under their own names', async () => {
  const index = ociIndex([amd64, arm64].map(({manifest}) => descriptor(mediaTypes.ociManifest, manifest)))
  await using bundle = await openDirectory([
    {path: 'manifest.json', content: index.bytes},
    ...[amd64, arm64].map(({manifest}) => ({
      path: `${manifest.hex}.manifest.json`,
      content: manifest.bytes,
    })),
    ...[amd64, arm64]
      .flatMap(({config, packed}) => [config].concat(packed))
      .map(({hex, bytes}) => ({path: hex, content: bytes})),
    VERSION,
  ])
  const [found] = bundle.images
  expect(found && (await readWhole(bundle.source, found))).toEqual(
    expect.arrayContaining([index, amd64.manifest, arm64.manifest, arm64.config].map(({digest}) => digest)),
  )
})

test.each([
  ['reg.example:5000/team/app:v1', ['reg.example:5000/team/app:v1']],
  ['reg.example/team/app:v1', ['reg.example/team/app:v1']],
  ['localhost/app:v1', ['localhost/app:v1']],
  [`reg.example/app@${amd64.manifest.digest}`, [`reg.example/app@${amd64.manifest.digest}`]],
  ['app:v1', ['? app:v1']],
  ['team/app:v1', ['? team/app:v1']],
  ['reg.example/team/app', ['? reg.example/team/app']],
])(
  'a dir: in %s, as skopeo sync makes it, is named by that path if it is a full name',
  async (path, names) => {
    const entries = single().map((entry) => Object.assign(entry, {path: `${path}/${entry.path}`}))
    await using bundle = await openDirectory(entries)
    expect(namesOf(bundle.images)).toEqual(names)
  },
)

test('Docker schema 1 is refused with advice', async () => {
  const error = await errorOf(openDirectory([json('manifest.json', {schemaVersion: 1, fsLayers: []})]))
  expect(error).toMatchObject({code: 'SOURCE_UNSUPPORTED'})
})
