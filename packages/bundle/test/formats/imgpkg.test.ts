import {mediaTypes} from '@airgap-mirror/oci-client/model'
import {expect, test} from 'vitest'
import type {LiteralEntry} from '../fixtures/literal-tar.js'
import {errorOf, namesOf, openTar, readWhole, rootDigests} from '../fixtures/opened.js'
import {descriptor, image, json, ociIndex} from '../fixtures/parts.js'

const amd64 = image('app', 'amd64')
const arm64 = image('app', 'arm64')
type TestImage = typeof amd64

function imageItem({manifest, config, packed, layers}: TestImage, more: object = {}) {
  return {
    Refs: [],
    Layers: packed.map((layer, index) => ({
      MediaType: mediaTypes.ociLayerGzip,
      Digest: layer.digest,
      DiffID: layers[index]?.digest,
      Size: layer.bytes.length,
    })),
    Config: {Digest: config.digest, Raw: config.bytes.toString()},
    Manifest: {MediaType: mediaTypes.ociManifest, Digest: manifest.digest, Raw: manifest.bytes.toString()},
    Tag: '',
    OrigRef: '',
    Labels: {},
    ...more,
  }
}

/** manifest.json first, layers sorted by digest and each once. */
function imgpkg(items: readonly object[], images: readonly TestImage[]): readonly LiteralEntry[] {
  return [
    json('manifest.json', items),
    ...[...new Map(images.flatMap(({packed}) => packed.map((layer) => [layer.hex, layer]))).values()]
      .sort((left, right) => (left.hex < right.hex ? -1 : 1))
      .map(({hex, bytes}) => ({path: `sha256-${hex}.tar.gz`, content: bytes})),
  ]
}

test('an image keeps its manifest, by digest and with its tag', async () => {
  const ref = `index.docker.io/acme/app@${amd64.manifest.digest}`
  const item = {Image: imageItem(amd64, {Refs: [ref], Tag: 'v1', OrigRef: 'docker.io/acme/app:v1'})}
  await using bundle = await openTar(imgpkg([item], [amd64]))
  expect(namesOf(bundle.images)).toEqual([`docker.io/acme/app:v1@${amd64.manifest.digest}`])
  expect(rootDigests(bundle.images)).toEqual([amd64.manifest.digest])
  expect(bundle.images[0]?.digestChanged).toBeUndefined()
  const [found] = bundle.images
  expect(found && new Set(await readWhole(bundle.source, found))).toEqual(
    new Set([amd64.manifest, amd64.config, ...amd64.packed].map(({digest}) => digest)),
  )
})

test('an index brings its images along', async () => {
  const index = ociIndex([amd64, arm64].map(({manifest}) => descriptor(mediaTypes.ociManifest, manifest)))
  const item = {
    ImageIndex: {
      Refs: [`ghcr.io/acme/app@${index.digest}`, `quay.io/acme/app@${index.digest}`],
      Images: [imageItem(amd64), imageItem(arm64)],
      Indexes: [],
      MediaType: mediaTypes.ociIndex,
      Digest: index.digest,
      Raw: index.bytes.toString(),
      Tag: '',
      OrigRef: '',
    },
  }
  await using bundle = await openTar(imgpkg([item], [amd64, arm64]))
  expect(namesOf(bundle.images)).toEqual([
    `ghcr.io/acme/app@${index.digest}`,
    `quay.io/acme/app@${index.digest}`,
  ])
  const [found] = bundle.images
  expect(found && (await readWhole(bundle.source, found))).toEqual(
    expect.arrayContaining([amd64.manifest.digest, arm64.manifest.digest, arm64.config.digest]),
  )
})

test('a document with another digest than the recorded digest is refused', async () => {
  const Manifest = {MediaType: mediaTypes.ociManifest, Digest: arm64.manifest.digest, Raw: '{}'}
  const error = await errorOf(openTar(imgpkg([{Image: imageItem(amd64, {Manifest})}], [amd64])))
  expect(error).toMatchObject({code: 'DIGEST_MISMATCH', side: 'source'})
  expect(error.message).toContain('manifest.json[0].Manifest')
})
