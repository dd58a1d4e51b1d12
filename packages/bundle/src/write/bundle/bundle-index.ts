import {
  formatReference,
  mediaTypes,
  type Descriptor,
  type Digest,
  type ImageManifest,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import {blobPath} from '../../contents/blob-path.js'
import {annotationKeys} from '../../names/recorded-name.js'
import type {BundleContents, BundleEntry} from './bundle-contents.js'

/**
 * Returns a bundle's index.json with a descriptor for each name. containerd reads its own annotation; podman, skopeo,
 * crane and oras read the image-spec's. Both hold the full name. A referrer without a name has containerd's annotation for
 * its subject, because docker would take it for an image.
 * @param delta the descriptor of the list of left-out blobs
 */
function bundleIndex(entries: readonly BundleEntry[], delta: Descriptor | undefined): Uint8Array {
  const manifests = entries.map(({manifest, name}) => {
    const {mediaType, digest, size} = manifest.descriptor
    const {artifactType, subject} = manifest
    const text = name === undefined ? undefined : formatReference(name)
    const about = subject === undefined ? undefined : {[annotationKeys.subject]: subject.digest}
    return {
      mediaType,
      digest,
      size,
      artifactType,
      annotations:
        text === undefined ? about : {[annotationKeys.containerdName]: text, [annotationKeys.refName]: text},
    }
  })
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: delta === undefined ? manifests : [delta, ...manifests],
    }),
  )
}

/**
 * Returns the manifest.json of docker-archives, over the blobs of the layout, for docker with its classic store. An entry
 * has one platform: of an index, `linux/amd64`, else the first. An image without a tag has an entry without names, which
 * docker loads by its ID.
 */
function dockerManifest(
  entries: readonly BundleEntry[],
  manifests: ReadonlyMap<Digest, Manifest>,
): Uint8Array {
  const items = new Map<Digest, {Config: string; RepoTags: string[]; Layers: string[]}>()
  for (const {name, manifest} of entries) {
    const image = imageOf(manifest, manifests)
    if (name === undefined || image === undefined || !isDockerImage(image)) continue
    const item = items.get(image.descriptor.digest) ?? {
      Config: blobPath(image.config),
      RepoTags: [],
      Layers: image.layers.map(({digest}) => blobPath({digest})),
    }
    if (name.tag !== undefined) item.RepoTags.push(formatReference(name))
    items.set(image.descriptor.digest, item)
  }
  return Buffer.from(JSON.stringify([...items.values()]))
}

function imageOf(manifest: Manifest, manifests: ReadonlyMap<Digest, Manifest>): ImageManifest | undefined {
  if (manifest.kind === 'image') return manifest
  const children = manifest.children.flatMap((child) => {
    const found = manifests.get(child.digest)
    return found?.kind === 'image' && child.platform?.os !== 'unknown' ? [{child, found}] : []
  })
  const usual = children.find(
    ({child: {platform}}) => platform?.os === 'linux' && platform.architecture === 'amd64',
  )
  return (usual ?? children[0])?.found
}

function isDockerImage({config, layers}: ImageManifest): boolean {
  const isConfig = config.mediaType === mediaTypes.ociConfig || config.mediaType === mediaTypes.dockerConfig
  return isConfig && layers.length > 0
}

/** Returns the files before the blobs, by their paths in the layout. */
export function leadingFiles(
  contents: BundleContents,
  options: {
    readonly delta?: {readonly descriptor: Descriptor; readonly bytes: Uint8Array}
    readonly docker?: boolean
  },
): ReadonlyMap<string, Uint8Array> {
  const {entries, manifests} = contents
  const {delta, docker = false} = options
  const byDigest = new Map(manifests.map((manifest) => [manifest.descriptor.digest, manifest]))
  return new Map<string, Uint8Array>([
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ['index.json', bundleIndex(entries, delta?.descriptor)],
    ...(docker ? [['manifest.json', dockerManifest(entries, byDigest)] as const] : []),
    ...(delta === undefined ? [] : [[blobPath(delta.descriptor), delta.bytes] as const]),
    ...manifests.map(({descriptor, bytes}) => [blobPath(descriptor), bytes] as const),
  ])
}
