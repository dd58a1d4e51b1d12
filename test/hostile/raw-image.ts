import {gzipSync} from 'node:zlib'
import {digestOf, hexOf, mediaTypes, type Digest} from '@airgap-mirror/oci-client/model'
import {tar, type RawMember} from './raw-tar.js'

export interface RawBlob {
  readonly bytes: Buffer
  readonly digest: Digest
  readonly size: number
}

/** Content under its true digest; objects become JSON. */
export function blob(content: Uint8Array | string | object): RawBlob {
  const bytes = Buffer.from(
    typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content),
  )
  return {bytes, digest: digestOf(bytes), size: bytes.length}
}

export function descriptor(mediaType: string, {digest, size}: Omit<RawBlob, 'bytes'>, more: object = {}) {
  return {
    mediaType,
    digest,
    size,
    ...more,
  }
}

export interface RawImage {
  readonly plain: RawBlob
  readonly layer: RawBlob
  readonly config: RawBlob
  readonly manifest: RawBlob
}

/** A small image of one layer, for one platform. `change` has the last word on its manifest. */
export function image(seed: string, change: (manifest: object) => object = (same) => same): RawImage {
  const plain = blob(tar([{path: 'etc/motd', content: `${seed}\n`.repeat(100)}]))
  const layer = blob(gzipSync(plain.bytes))
  const config = blob({
    architecture: 'amd64',
    os: 'linux',
    config: {Labels: {seed}},
    rootfs: {type: 'layers', diff_ids: [plain.digest]},
  })
  const manifest = blob(
    change({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: descriptor(mediaTypes.ociConfig, config),
      layers: [descriptor(mediaTypes.ociLayerGzip, layer)],
    }),
  )
  return {plain, layer, config, manifest}
}

export function index(children: readonly object[], more: object = {}): RawBlob {
  return blob({schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: children, ...more})
}

export function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

export function blobMember({bytes, digest}: RawBlob): RawMember {
  return {path: blobPath(digest), content: bytes}
}

export function imageMembers({layer, config, manifest}: RawImage): readonly RawMember[] {
  return [layer, config, manifest].map(blobMember)
}

/** The name that containerd and docker record. */
export function named(name: string) {
  return {annotations: {'io.containerd.image.name': name}}
}

export const LAYOUT: RawMember = {path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}'}

export function indexJson(manifests: readonly object[]): RawMember {
  return {
    path: 'index.json',
    content: JSON.stringify({schemaVersion: 2, manifests}),
  }
}

/** An OCI layout in which one image has this name. */
export function layoutOf(one: RawImage, name: string): readonly RawMember[] {
  return [
    ...imageMembers(one),
    indexJson([descriptor(mediaTypes.ociManifest, one.manifest, named(name))]),
    LAYOUT,
  ]
}

/** A docker-archive as skopeo and podman write it. `change` has the last word on manifest.json. */
export function dockerOf(
  one: RawImage,
  name: string,
  change: (items: readonly object[]) => unknown = (same) => same,
): readonly RawMember[] {
  const config = `${hexOf(one.config.digest)}.json`
  const layer = `${hexOf(one.plain.digest)}.tar`
  return [
    {path: layer, content: one.plain.bytes},
    {path: config, content: one.config.bytes},
    {
      path: 'manifest.json',
      content: JSON.stringify(change([{Config: config, RepoTags: [name], Layers: [layer]}])),
    },
  ]
}
