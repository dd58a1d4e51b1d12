import {
  craneLegacy,
  craneTarball,
  dockerSave,
  makeImage,
  ociLayout,
  skopeoDirectory,
  type Entry,
  type TestImage,
} from '@airgap-mirror/test/kit'
import {expect, test} from 'vitest'
import {inspectEntries} from './inspect-kit.js'

const name = {registry: 'quay.io', repository: 'a/b', tag: 'v1'}

/** Each layer's directory is a member of its own, and without these it is the legacy form of crane. */
function dockerBefore25(image: TestImage): readonly Entry[] {
  return craneLegacy([{image, name}]).flatMap((entry) =>
    entry.path.endsWith('/layer.tar')
      ? [{path: entry.path.slice(0, entry.path.indexOf('/')), directory: true}, entry]
      : [entry],
  )
}

test.each<readonly [string, string | undefined, (image: TestImage) => readonly Entry[]]>([
  ['skopeo-dir', 'containers-image', skopeoDirectory],
  ['docker-archive', 'go-containerregistry', (image) => craneTarball([{image, name}])],
  ['docker-archive', 'docker-before-25', dockerBefore25],
  ['docker-archive', undefined, (image) => craneLegacy([{image, name}])],
  ['oci-layout', 'docker', (image) => dockerSave([{image, name}], {version: '28'})],
  // skopeo, podman, crane, oras and umoci.
  [
    'oci-layout',
    undefined,
    (image) => ociLayout([{image, annotations: {'org.opencontainers.image.ref.name': 'v1'}}]),
  ],
])('a %s has the producer %s if its content shows it', async (format, producer, entriesOf) => {
  const {bundle} = await inspectEntries(entriesOf(await makeImage({seed: 'inspect-producer'})))
  expect(bundle.format).toBe(format)
  expect(bundle.producer).toBe(producer)
})

test('an image whose config leaves its platform empty has none, and a child of an index an unknown one', async () => {
  const alone = await makeImage({seed: 'inspect-no-platform', platforms: ['/']})
  const index = await makeImage({seed: 'inspect-no-platform-2', platforms: ['/', 'linux/arm64']})
  const {images, totals} = await inspectEntries(ociLayout([{image: alone}, {image: index}]))
  expect(images.map(({platforms}) => platforms.map(({platform}) => platform))).toEqual([
    [],
    ['unknown', 'linux/arm64'],
  ])
  expect(totals.platforms).toEqual(['linux/arm64', 'unknown'])
})

test('a signature under a tag of cosign is its image’s, in a layout that has tags alone', async () => {
  const refName = (tag: string) => ({annotations: {'org.opencontainers.image.ref.name': tag}})
  const image = await makeImage({seed: 'inspect-signed'})
  const tag = `${image.root.descriptor.digest.replace(':', '-')}.sig`
  const signature = {image: await makeImage({seed: 'inspect-signature', layers: 1}), ...refName(tag)}
  const found = await inspectEntries(ociLayout([{image, ...refName('v1')}, signature]))
  expect(found.images.map((one) => [one.name, one.referrers.map(({kind}) => kind)])).toEqual([
    ['v1', ['signature']],
  ])
})

test('a layout of regctl has compressed layers in LayerSources, so docker did not write it', async () => {
  const image = await makeImage({seed: 'inspect-regctl'})
  const [platform] = image.platforms
  if (platform === undefined) throw new Error('no platform')
  const annotations = {
    'io.containerd.image.name': 'quay.io/a/b:v1',
    'org.opencontainers.image.ref.name': 'v1',
  }
  const blob = (digest: string): string => `blobs/sha256/${digest.slice('sha256:'.length)}`
  const item = {
    Config: blob(platform.config.descriptor.digest),
    RepoTags: ['quay.io/a/b:v1'],
    Layers: platform.layers.map(({descriptor}) => blob(descriptor.digest)),
    LayerSources: Object.fromEntries(platform.layers.map(({descriptor}) => [descriptor.digest, descriptor])),
  }
  const list = {path: 'manifest.json', bytes: Buffer.from(JSON.stringify([item]))}
  const {bundle, images} = await inspectEntries([...ociLayout([{image, annotations}]), list])
  expect(bundle.producer).toBeUndefined()
  expect(images).toMatchObject([{status: 'ok', digest: image.root.descriptor.digest}])
})

test('several images without names are told apart by their digests', async () => {
  const images = await Promise.all(['one', 'two'].map((seed) => makeImage({seed: `inspect-${seed}`})))
  const found = await inspectEntries(ociLayout(images.map((image) => ({image}))))
  expect(found.images.map((image) => image.name)).toEqual(
    images.map(({root}) => `bundle.tar@${root.descriptor.digest}`),
  )
})
