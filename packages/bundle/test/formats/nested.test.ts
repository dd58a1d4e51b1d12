import {setTimeout} from 'node:timers/promises'
import {gzipSync} from 'node:zlib'
import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {describe, expect, test} from 'vitest'
import {literalTar, type LiteralEntry} from '../fixtures/literal-tar.js'
import {
  bytesOf,
  errorOf,
  namesOf,
  openDirectory,
  openFile,
  openTar,
  readWhole,
  rootDigests,
} from '../fixtures/opened.js'
import {
  config,
  descriptor,
  image,
  indexJson,
  json,
  OCI_LAYOUT,
  plainLayer,
  type Part,
} from '../fixtures/parts.js'

const app = image('app')
const tool = image('tool')
function layoutOf({blobs, manifest}: typeof app, name: string): readonly LiteralEntry[] {
  return [
    ...blobs,
    indexJson([
      descriptor(mediaTypes.ociManifest, manifest, {annotations: {'io.containerd.image.name': name}}),
    ]),
    OCI_LAYOUT,
  ]
}
const layer = plainLayer('only')
const own = config(layer)
function dockerArchive(tag: string, of: Part = layer): Buffer {
  return literalTar([
    {path: 'layer.tar', content: of.bytes},
    {path: `${own.hex}.json`, content: own.bytes},
    json('manifest.json', [{Config: `${own.hex}.json`, RepoTags: [tag], Layers: ['layer.tar']}]),
  ])
}

const APP = 'gcr.io/anthos-baremetal-release/app:1.34'
const TOOL = 'gcr.io/anthos-baremetal-release/tool:1.34'

describe('an archive that holds one archive for each image', () => {
  const outer: readonly LiteralEntry[] = [
    {path: 'bmpackages_1.34/', type: '5'},
    {path: 'bmpackages_1.34/README', content: 'images of the release'},
    {path: 'bmpackages_1.34/app.tar', content: literalTar(layoutOf(app, APP))},
    {path: 'bmpackages_1.34/tool', content: gzipSync(literalTar(layoutOf(tool, TOOL)))},
    {path: 'bmpackages_1.34/docker.tar', content: dockerArchive('gcr.io/x/docker:1')},
    {path: 'bmpackages_1.34/again.tar', content: dockerArchive('gcr.io/x/docker:1')},
    {path: 'bmpackages_1.34/manifest.json', content: 'not about images'},
  ]

  test('every image is found, compressed inner archives too, the same one once', async () => {
    const notes: string[] = []
    await using bundle = await openTar(outer, {onNote: (text) => notes.push(text)})
    expect([...namesOf(bundle.images)].sort()).toEqual([APP, TOOL, 'gcr.io/x/docker:1'].sort())
    expect(bundle.source.description).toMatchObject({format: 'nested', outerEntryCount: 7})
    expect(bundle.source.description.parts).toHaveLength(4)
    expect(bundle.source.description.outerEntries).toContainEqual(
      expect.objectContaining({path: 'bmpackages_1.34/tool', kind: 'gzip'}),
    )
    for (const found of bundle.images) {
      expect((await readWhole(bundle.source, found)).length).toBeGreaterThan(1)
    }
    expect(notes.join('\n')).toContain('manifest.json')
  })

  test('unpacked into a directory it is the same', async () => {
    await using bundle = await openDirectory(outer)
    expect([...namesOf(bundle.images)].sort()).toEqual([APP, TOOL, 'gcr.io/x/docker:1'].sort())
    for (const found of bundle.images) {
      expect((await readWhole(bundle.source, found)).length).toBeGreaterThan(1)
    }
  })

  test('positions follow the order of the archives', async () => {
    await using bundle = await openTar([
      {path: 'one.tar', content: literalTar(layoutOf(app, APP))},
      {path: 'two.tar', content: literalTar(layoutOf(tool, TOOL))},
    ])
    const positions = [app, tool].map((of) =>
      of.packed.map(({digest, bytes}) => {
        const content = {mediaType: mediaTypes.ociLayerGzip, digest, size: bytes.length}
        return bundle.source.blob(content).position
      }),
    )
    const flat = positions.flat()
    expect(flat).toEqual([...flat].sort((left, right) => left - right))
    expect(new Set(flat).size).toBe(flat.length)
  })

  test('an image without a name is known by the file it came from', async () => {
    const nameless = [...app.blobs, indexJson([descriptor(mediaTypes.ociManifest, app.manifest)]), OCI_LAYOUT]
    const tagged = [
      ...tool.blobs,
      indexJson([
        descriptor(mediaTypes.ociManifest, tool.manifest, {
          annotations: {'org.opencontainers.image.ref.name': 'v1'},
        }),
      ]),
      OCI_LAYOUT,
    ]
    await using bundle = await openTar([
      {path: 'images/a.tar', content: literalTar(nameless)},
      {path: 'images/b.tar', content: literalTar(tagged)},
    ])
    expect(namesOf(bundle.images)).toEqual(['? images/a.tar', '? images/b.tar (v1)'])
  })

  test('archives are looked into down to a depth, and no further', async () => {
    const wrap = (inner: Buffer, times: number): Buffer =>
      times === 0 ? inner : wrap(literalTar([{path: `level-${times}.tar`, content: inner}]), times - 1)
    const inner = literalTar(layoutOf(app, APP))
    await using bundle = await openTar([{path: 'outer.tar', content: wrap(inner, 2)}])
    expect(namesOf(bundle.images)).toEqual([APP])
    const notes: string[] = []
    const error = await errorOf(
      openTar([{path: 'outer.tar', content: wrap(inner, 3)}], {onNote: (text) => notes.push(text)}),
    )
    expect(error.code).toBe('SOURCE_UNKNOWN')
    expect(notes.join('\n')).toMatch(/nested deeper than 4/)
  })

  test('a damaged inner archive is named', async () => {
    const whole = literalTar(layoutOf(app, APP))
    const error = await errorOf(
      openTar([{path: 'images/cut.tar', content: whole.subarray(0, whole.length - 2048 - 700)}]),
    )
    expect(error.message).toContain('images/cut.tar')
    expect(['SOURCE_TRUNCATED', 'SOURCE_CORRUPT']).toContain(error.code)
  })
})

describe('layouts in directories', () => {
  const below = (directory: string, entries: readonly LiteralEntry[]): readonly LiteralEntry[] =>
    entries.map((entry) => ({...entry, path: `${directory}/${entry.path}`}))

  test('a directory that was packed whole', async () => {
    await using bundle = await openTar(below('release', layoutOf(app, APP)))
    expect(namesOf(bundle.images)).toEqual([APP])
    expect(rootDigests(bundle.images)).toEqual([app.manifest.digest])
  })

  test('a layout for each image, and an archive beside them', async () => {
    await using bundle = await openDirectory([
      ...below('images/app', layoutOf(app, APP)),
      ...below('images/tool', layoutOf(tool, TOOL)),
      {path: 'docker.tar', content: dockerArchive('a/b:c')},
      json('web/manifest.json', {name: 'a web app'}),
    ])
    expect([...namesOf(bundle.images)].sort()).toEqual([APP, TOOL, 'docker.io/a/b:c'].sort())
  })
})

test('a hold ends once its blob is opened, or when it is let go', async () => {
  const gzip = gzipSync(literalTar(layoutOf(app, APP)))
  await using bundle = await openFile(gzip, {scratch: 'never'})
  expect(bundle.source.access).toBe('in-order')
  const [first, second] = app.packed
    .map(({digest, bytes}) => ({mediaType: mediaTypes.ociLayerGzip, digest, size: bytes.length}))
    .map((content) => bundle.source.blob(content))
    .sort((left, right) => left.position - right.position)
  if (first === undefined || second === undefined) throw new Error('no layers')
  const release = first.hold()
  second.hold()
  const later = bytesOf(bundle.source, second.content)
  expect(await Promise.race([later.then(() => 'read'), setTimeout(50, 'held')])).toBe('held')
  for await (const chunk of first.open()) expect(chunk.length).toBeGreaterThan(0)
  expect((await later).length).toBeGreaterThan(0)
  release()
  expect((await bytesOf(bundle.source, first.content)).length).toBeGreaterThan(0)
})
