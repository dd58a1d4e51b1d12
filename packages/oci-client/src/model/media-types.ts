/** The media types of images that OCI and Docker define. */
export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerForeignLayer: 'application/vnd.docker.image.rootfs.foreign.diff.tar',
} as const

export function isIndexType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerList
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest
}

/**
 * Returns true if a child of an index is a blob: a layer or a config in a cache of buildkit, an SPDX file. A manifest of
 * a kind that is not read counts as a manifest.
 */
export function isBlobType(mediaType: string): boolean {
  return !isManifestType(mediaType) && !isIndexType(mediaType) && !MANIFEST_OF_OTHER_KIND.test(mediaType)
}

/** Kinds of manifests that registries know, or knew, and that this program does not read. */
const MANIFEST_OF_OTHER_KIND = /^application\/vnd\.(?:oci|docker|cncf\.oras)\..*(?:manifest|index)/i

/** Layers that their licence keeps out of registries: `foreign` in Docker's words, `nondistributable` in OCI's. */
export function isForeignLayerType(mediaType: string): boolean {
  return (
    mediaType.startsWith(mediaTypes.dockerForeignLayer) ||
    mediaType.startsWith('application/vnd.oci.image.layer.nondistributable.v1.tar')
  )
}

/** Media types in the Accept header of a manifest request (distribution-spec, Pulling manifests). */
export const manifestAccept: readonly string[] = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerList,
  mediaTypes.dockerManifest,
]
