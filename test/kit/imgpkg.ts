import {gunzipSync, gzipSync} from 'node:zlib'
import {digestOf, mediaTypes} from '@airgap-mirror/oci-client/model'
import {makeManifest, type TestImage} from './images.js'
import {tarBytes, type Entry} from './tar.js'

interface ImgpkgItem {
  readonly image: TestImage
  /** The reference by digest under which imgpkg found it. */
  readonly ref: string
  /** The digest of the bundle that was copied alone. */
  readonly tag?: string
}

/** The tar of `imgpkg copy --bundle … --to-tar` (imgpkg, pkg/imgpkg/imagetar and v1/copy.go): a bundle, and the images of its lock file. */
export function imgpkgTar(items: readonly ImgpkgItem[]): readonly Entry[] {
  const layers = new Map(
    items
      .flatMap(({image}) => image.platforms.flatMap((one) => one.layers))
      .map((layer) => [layer.descriptor.digest, layer]),
  )
  const manifest = items.map(({image, ref, tag}) => {
    const [only] = image.platforms
    if (only === undefined) throw new Error('an image without platforms')
    const raw = ({
      bytes,
      descriptor,
    }: {
      readonly bytes: Uint8Array
      readonly descriptor: {readonly digest: string}
    }) => ({
      Digest: descriptor.digest,
      Raw: Buffer.from(bytes).toString(),
    })
    return {
      Image: {
        Refs: [ref],
        Layers: only.layers.map(({descriptor, diffId}) => ({
          MediaType: descriptor.mediaType,
          Digest: descriptor.digest,
          DiffID: diffId,
          Size: descriptor.size,
        })),
        Config: raw(only.config),
        Manifest: {...raw(only.manifest), MediaType: only.manifest.descriptor.mediaType},
        Tag: tag ?? '',
        OrigRef: ref,
        Labels: tag === undefined ? {} : {'dev.carvel.imgpkg.copy.root-bundle': ''},
      },
    }
  })
  return [
    {path: 'manifest.json', bytes: Buffer.from(JSON.stringify(manifest))},
    ...[...layers.values()]
      .map(({descriptor, bytes}) => ({path: `${descriptor.digest.replace(':', '-')}.tar.gz`, bytes}))
      .toSorted((left, right) => (left.path < right.path ? -1 : 1)),
  ]
}

/** An imgpkg bundle: one layer of Docker's kind, with a lock file of images in it. */
export async function imgpkgBundle(images: readonly string[]): Promise<TestImage> {
  const lock = [
    '---',
    'apiVersion: imgpkg.carvel.dev/v1alpha1',
    'kind: ImagesLock',
    'images:',
    ...images.map((image) => `- image: ${image}`),
    '',
  ].join('\n')
  const plain = await tarBytes([
    {path: '.imgpkg', directory: true},
    {path: '.imgpkg/images.yml', bytes: Buffer.from(lock)},
  ])
  const layer = blobOf(gzipSync(plain), mediaTypes.dockerLayerGzip)
  const diffId = digestOf(plain)
  const config = blobOf(
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        config: {Labels: {'dev.carvel.imgpkg.bundle': 'true'}},
        rootfs: {type: 'layers', diff_ids: [diffId]},
      }),
    ),
    mediaTypes.dockerConfig,
  )
  const mediaType = mediaTypes.dockerManifest
  const manifest = makeManifest(
    {schemaVersion: 2, mediaType, config: config.descriptor, layers: [layer.descriptor]},
    {mediaType},
  )
  return {
    root: manifest,
    platforms: [{manifest, config, layers: [{...layer, diffId, plain}]}],
    manifests: [manifest],
    blobs: [config, layer],
  }
}

/** Returns the images that the lock file in a bundle's layer names. */
export function imagesInLock(layer: Uint8Array): readonly string[] {
  return [
    ...gunzipSync(layer)
      .toString()
      .matchAll(/^- image: (\S+)$/gm),
  ].map(([, image = '']) => image)
}

function blobOf(bytes: Uint8Array, mediaType: string) {
  return {bytes, descriptor: {mediaType, digest: digestOf(bytes), size: bytes.length}}
}
