import {
  mediaTypes,
  MirrorError,
  parseManifest,
  type Content,
  type Descriptor,
  type ImageManifest,
  type PendingImage,
} from '@airgap-mirror/oci-client/model'

/** Returns an image without a manifest; `config` is kept unchanged, under the OCI type. */
export function pendingImage(config: Descriptor, layers: readonly Content[]): PendingImage {
  return {
    config,
    layers,
    manifest: (descriptors) => {
      if (descriptors.length !== layers.length) {
        throw new MirrorError(
          'MANIFEST_INVALID',
          `an image of ${layers.length} layers cannot be made from ${descriptors.length}`,
          {side: 'source'},
        )
      }
      return madeManifest(config, descriptors)
    },
  }
}

/** Returns the OCI manifest of a config and layers, with the same bytes for the same content. */
export function madeManifest(config: Descriptor, layers: readonly Descriptor[]): ImageManifest {
  const json = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: plainDescriptor(config),
    layers: layers.map((layer) => plainDescriptor(layer)),
  })
  const manifest = parseManifest(Buffer.from(json), {mediaType: mediaTypes.ociManifest})
  if (manifest.kind !== 'image') throw new TypeError('an image manifest was made and an index was read')
  return manifest
}

function plainDescriptor({mediaType, digest, size, urls}: Descriptor): object {
  return {
    mediaType,
    digest,
    size,
    urls,
  }
}
