import {contentKey, mediaTypes, type Content} from '@airgap-mirror/oci-client/model'
import {compress, seededBytes, type Compression} from '@airgap-mirror/test/kit'
import {describe, expect, test} from 'vitest'
import {literalTar, type LiteralEntry} from './fixtures/literal-tar.js'
import {bytesOf, openFile, type Opened} from './fixtures/opened.js'
import {
  blobEntry,
  config,
  descriptor,
  gzipped,
  indexJson,
  json,
  OCI_LAYOUT,
  ociManifest,
  part,
} from './fixtures/parts.js'

const KiB = 1024
const IMAGES = 40

/** Layers that do not look like JSON, each small enough to be captured if it did. */
const layers = Array.from({length: IMAGES}, (_, index) =>
  part(literalTar([{path: 'data', content: seededBytes(`layer ${index}`, 8 * KiB)}])),
)

const layout: readonly LiteralEntry[] = (() => {
  const images = layers.map((layer) => {
    const packed = gzipped(layer)
    const own = config(layer)
    return {packed, own, manifest: ociManifest({config: own, layers: [packed]})}
  })
  const roots = images.map(({manifest}, index) =>
    descriptor(mediaTypes.ociManifest, manifest, {
      annotations: {'io.containerd.image.name': `gcr.io/a/app${index}:v1`},
    }),
  )
  return [
    OCI_LAYOUT,
    indexJson(roots),
    ...images.map(({manifest}) => blobEntry(manifest)),
    ...images.flatMap(({packed, own}) => [blobEntry(own), blobEntry(packed)]),
  ]
})()

const dockerArchive: readonly LiteralEntry[] = [
  ...layers.flatMap((layer) => {
    const own = config(layer)
    return [
      {path: `${layer.hex}/layer.tar`, content: layer.bytes},
      {path: `${own.hex}.json`, content: own.bytes},
    ]
  }),
  json(
    'manifest.json',
    layers.map((layer, index) => ({
      Config: `${config(layer).hex}.json`,
      RepoTags: [`gcr.io/a/app${index}:v1`],
      Layers: [`${layer.hex}/layer.tar`],
    })),
  ),
]

const packings: readonly (readonly [string, Compression])[] = [
  ['gzip', {type: 'gzip'}],
  ['zstd', {type: 'zstd'}],
  ['zstd frames', {type: 'zstd', frameSize: 50 * KiB}],
  ['one xz block', {type: 'xz'}],
  ['xz blocks', {type: 'xz', blockSize: 50 * KiB}],
]

/** Returns the content of all images, in the bundle's order. */
async function contentsOf({source, images}: Opened): Promise<readonly Content[]> {
  const found = new Map<string, Content>()
  for (const {root} of images) {
    if ('error' in root) throw root.error
    const image = 'pending' in root ? root.pending : await source.manifest(root.manifest)
    if (!('config' in image)) throw new Error('an image was expected')
    for (const content of [image.config, ...image.layers]) found.set(contentKey(content), content)
  }
  return [...found.values()].sort((a, b) => source.blob(a).position - source.blob(b).position)
}

describe.each(packings)('packed as %s, without scratch,', (_packing, compression) => {
  test.each([
    ['an OCI layout', layout],
    ['a docker-archive', dockerArchive],
  ])(
    '%s of many small layers is decoded once when it is opened, and once to read its content',
    async (_shape, entries) => {
      const tar = literalTar(entries)
      await using opened = await openFile(await compress(tar, compression), {
        scratch: 'never',
        layerCompression: 'none',
      })
      const {source} = opened
      expect(source.usage.decoded).toBeLessThanOrEqual(tar.length)
      for (const content of await contentsOf(opened)) await bytesOf(source, content)
      expect(source.usage.decoded).toBeLessThanOrEqual(2 * tar.length)
    },
  )
})
