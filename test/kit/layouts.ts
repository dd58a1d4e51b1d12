import {digestOf, hexOf, type Descriptor, type Digest} from '@airgap-mirror/oci-client/model'
import type {PlatformImage, TestImage} from './images.js'
import type {Entry} from './tar.js'

export interface NamedImage {
  readonly image: TestImage
  /** OCI layout: annotations of its entry in index.json. */
  readonly annotations?: Readonly<Record<string, string>>
  /** docker-archive: RepoTags. */
  readonly tags?: readonly string[]
  /** Leaves out everything of the platforms this refuses, and keeps the index as it is: a sparse index. */
  readonly keep?: (platform: PlatformImage) => boolean
}

/** An OCI image layout (image-spec image-layout.md) in the order of a lexical directory walk, the index last. */
export function ociLayout(images: readonly NamedImage[]): readonly Entry[] {
  const blobs = new Map<Digest, Uint8Array>()
  for (const {image, keep = () => true} of images) {
    const kept = image.platforms.filter(keep)
    if (!image.platforms.some(({manifest}) => manifest === image.root)) {
      blobs.set(image.root.descriptor.digest, image.root.bytes)
    }
    // An artefact has no platforms.
    if (image.platforms.length === 0)
      for (const {descriptor, bytes} of image.blobs) blobs.set(descriptor.digest, bytes)
    for (const {manifest, config, layers} of kept) {
      for (const {descriptor, bytes} of [manifest, config, ...layers]) blobs.set(descriptor.digest, bytes)
    }
  }
  const manifests = images.map(({image, annotations}) => withAnnotations(image.root.descriptor, annotations))
  return [
    {path: 'blobs', directory: true},
    {path: 'blobs/sha256', directory: true},
    ...[...blobs]
      .map(([digest, bytes]) => ({path: `blobs/sha256/${hexOf(digest)}`, bytes}))
      .toSorted((left, right) => (left.path < right.path ? -1 : 1)),
    {path: 'index.json', bytes: json({schemaVersion: 2, manifests})},
    {path: 'oci-layout', bytes: json({imageLayoutVersion: '1.0.0'})},
  ]
}

/**
 * A docker-archive of the first platform of each image. skopeo: plain layers, legacy directories with symlinks, as skopeo
 * and `podman save -m` write. crane: compressed layers as they are, the config under its digest with a colon.
 */
export function dockerArchive(
  images: readonly NamedImage[],
  options: {readonly shape: 'skopeo' | 'crane'} = {shape: 'skopeo'},
): readonly Entry[] {
  const entries = new Map<string, Entry>()
  const add = (entry: Entry): void => void (entries.has(entry.path) || entries.set(entry.path, entry))
  const manifest = images.map(({image, tags}) => {
    const [platform] = image.platforms
    if (platform === undefined) throw new Error('an image without platforms')
    const files = options.shape === 'crane' ? craneFiles(platform) : skopeoFiles(platform)
    files.entries.forEach(add)
    return {Config: files.config, RepoTags: tags ?? [], Layers: files.layers}
  })
  return [
    ...entries.values(),
    {path: 'manifest.json', bytes: json(manifest)},
    ...(options.shape === 'skopeo' ? [{path: 'repositories', bytes: json({})}] : []),
  ]
}

/** skopeo's `dir:` of one platform: no name, the manifest as it is. */
export function skopeoDirectory({root, manifests, blobs}: TestImage): readonly Entry[] {
  return [
    ...blobs.map(({descriptor, bytes}) => ({path: hexOf(descriptor.digest), bytes})),
    ...manifests
      .filter((manifest) => manifest !== root)
      .map(({descriptor, bytes}) => ({path: `${hexOf(descriptor.digest)}.manifest.json`, bytes})),
    {path: 'manifest.json', bytes: root.bytes},
    {path: 'version', bytes: Buffer.from('Directory Transport Version: 1.1\n')},
  ]
}

interface ArchiveFiles {
  readonly entries: readonly Entry[]
  readonly config: string
  readonly layers: readonly string[]
}

function skopeoFiles({config, layers}: PlatformImage): ArchiveFiles {
  const configPath = `${hexOf(config.descriptor.digest)}.json`
  const paths = layers.map(({diffId}) => `${hexOf(diffId)}.tar`)
  const legacy = paths.flatMap((path, index): Entry[] => {
    const id = hexOf(digestOf(Buffer.from(paths.slice(0, index + 1).join())))
    return [
      {path: `${id}/VERSION`, bytes: Buffer.from('1.0')},
      {path: `${id}/layer.tar`, symlink: `../${path}`},
      {path: `${id}/json`, bytes: json({id})},
    ]
  })
  return {
    entries: [
      ...layers.map(({plain}, index) => ({path: paths[index] ?? '', bytes: plain})),
      {path: configPath, bytes: config.bytes},
      ...legacy,
    ],
    config: configPath,
    layers: paths,
  }
}

function craneFiles({config, layers}: PlatformImage): ArchiveFiles {
  const paths = layers.map(({descriptor}) => `${hexOf(descriptor.digest)}.tar.gz`)
  return {
    entries: [
      {path: config.descriptor.digest, bytes: config.bytes},
      ...layers.map(({bytes}, index) => ({path: paths[index] ?? '', bytes})),
    ],
    config: config.descriptor.digest,
    layers: paths,
  }
}

function withAnnotations(
  descriptor: Descriptor,
  annotations: Readonly<Record<string, string>> | undefined,
): Descriptor {
  return annotations === undefined ? descriptor : {...descriptor, annotations}
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
