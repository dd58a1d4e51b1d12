import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import type {BundleSource} from '#src/index.js'
import {literalTar, type LiteralEntry} from './fixtures/literal-tar.js'
import {openDirectory, openTar} from './fixtures/opened.js'
import {
  blobEntry,
  config,
  descriptor,
  image,
  indexJson,
  json,
  OCI_LAYOUT,
  ociIndex,
  part,
} from './fixtures/parts.js'

const app = image('app')
const other = image('other', 'arm64')
const left = part('left over from a deleted image')

function layout(...manifests: readonly object[]): readonly LiteralEntry[] {
  return [...app.blobs, blobEntry(left), indexJson(manifests), OCI_LAYOUT]
}
function unusedIn({unused}: BundleSource): readonly (readonly [string, string])[] {
  return unused.map(({path, reason}) => [path, reason] as const)
}
const NOT_REACHED = 'it is a blob that no image of the index needs'

test('a blob of a layout that no image needs is unused', async () => {
  await using bundle = await openTar(layout(descriptor(mediaTypes.ociManifest, app.manifest)))
  expect(bundle.source.unused).toEqual([
    {path: `blobs/sha256/${left.hex}`, size: left.bytes.length, reason: NOT_REACHED, isWarning: false},
  ])
})

test('the blobs of an index and of its children are used, whatever their kind', async () => {
  const cache = part({id: 'cache'})
  const index = ociIndex([
    descriptor(mediaTypes.ociManifest, app.manifest),
    descriptor(mediaTypes.ociManifest, other.manifest),
    descriptor('application/vnd.buildkit.cacheconfig.v0', cache),
  ])
  await using bundle = await openTar([
    ...other.blobs,
    blobEntry(cache),
    blobEntry(index),
    ...layout(descriptor(mediaTypes.ociIndex, index)),
  ])
  expect(unusedIn(bundle.source)).toEqual([[`blobs/sha256/${left.hex}`, NOT_REACHED]])
})

test('files among the blobs that are none, and unfinished ones, are unused', async () => {
  await using bundle = await openDirectory([
    ...layout(descriptor(mediaTypes.ociManifest, app.manifest)),
    {path: 'blobs/sha256/.partial', content: 'x'},
    {path: 'ingest/1/data', content: 'x'},
  ])
  expect(unusedIn(bundle.source)).toEqual(
    expect.arrayContaining([
      ['blobs/sha256/.partial', 'it lies among the blobs, but its name is not a digest'],
      ['ingest/1/data', 'it is a blob that was not completely written'],
    ]),
  )
})

test('a blob is unused by the path inside its layout and archive', async () => {
  const inner = literalTar(
    layout(descriptor(mediaTypes.ociManifest, app.manifest)).map(({path, content = ''}) => ({
      path: `in/${path}`,
      content,
    })),
  )
  await using bundle = await openTar([{path: 'inner.tar', content: inner}])
  expect(unusedIn(bundle.source)).toEqual([[`inner.tar: in/blobs/sha256/${left.hex}`, NOT_REACHED]])
})

test('the layers of a docker-archive that docker 25 wrote as a layout are used', async () => {
  const [layer] = app.layers
  if (layer === undefined) throw new Error('no layer')
  const own = config(layer)
  const manifest = part({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(mediaTypes.ociConfig, own),
    layers: [descriptor(mediaTypes.ociLayer, layer)],
  })
  const items = [
    {Config: `blobs/sha256/${own.hex}`, RepoTags: ['a/b:c'], Layers: [`blobs/sha256/${layer.hex}`]},
  ]
  await using bundle = await openTar([
    ...[layer, own, manifest].map((of) => blobEntry(of)),
    indexJson([descriptor(mediaTypes.ociManifest, manifest)]),
    json('manifest.json', items),
    OCI_LAYOUT,
  ])
  expect(bundle.source.unused).toEqual([])
})

test('the small blobs that docker adds for old versions have that reason, and large ones do not', async () => {
  const [layer] = app.layers
  if (layer === undefined) throw new Error('no layer')
  const own = config(layer)
  const old = part({id: 'a'.repeat(64), created: '1970-01-01T00:00:00Z', os: 'linux'})
  const large = part('x'.repeat(65 * 1024))
  const items = [
    {
      Config: `blobs/sha256/${own.hex}`,
      RepoTags: ['a/b:c'],
      Layers: [`blobs/sha256/${layer.hex}`],
      LayerSources: {[layer.digest]: descriptor(mediaTypes.ociLayer, layer)},
    },
  ]
  await using bundle = await openTar([
    ...[layer, own, old, large].map((of) => blobEntry(of)),
    indexJson([]),
    json('manifest.json', items),
    OCI_LAYOUT,
  ])
  const reason = 'no image needs it; docker describes each layer in such a file, for versions before 1.10'
  expect(new Map(unusedIn(bundle.source))).toEqual(
    new Map([
      [`blobs/sha256/${old.hex}`, reason],
      [`blobs/sha256/${large.hex}`, NOT_REACHED],
    ]),
  )
})
