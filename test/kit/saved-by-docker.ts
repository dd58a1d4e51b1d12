import {digestOf, hexOf, mediaTypes, type Descriptor, type Digest} from '@airgap-mirror/oci-client/model'
import {makeManifest, type PlatformImage, type TestManifest} from './images.js'
import {fullName, inBlobs, json, onlyPlatform, type SavedImage} from './saved-image.js'
import type {Entry} from './tar.js'

/**
 * `docker save` with the classic store, field by field as moby's `tarexport/save.go` writes it.
 * 25.0.0-rc: manifests without layers (moby/moby#47065). 25.0.0: layers in the order of a Go map (moby/moby#47150), and
 * null for an empty index (moby/moby#47210). 28: images that were saved by ID are in the index only if nothing is before them.
 */
export function dockerSave(
  images: readonly SavedImage[],
  {version}: {readonly version: '25.0.0-rc' | '25.0.0' | '28'},
): readonly Entry[] {
  const blobs = new Map<string, Uint8Array>()
  const add = (digest: Digest, bytes: Uint8Array): void => void blobs.set(hexOf(digest), bytes)
  const listed: object[] = []
  const repositories: Record<string, Record<string, string>> = {}
  const items = images.map(({image, name}) => {
    const {config, layers} = onlyPlatform(image)
    const sources = layers.map(({diffId, plain}): [Digest, Descriptor] => [
      diffId,
      {mediaType: mediaTypes.ociLayer, digest: diffId, size: plain.length},
    ])
    const inOrder = sources.map(([, descriptor]) => descriptor)
    const made = makeManifest(
      {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: {...config.descriptor, mediaType: mediaTypes.ociConfig},
        layers: version === '25.0.0-rc' ? [] : version === '25.0.0' ? inOrder.toReversed() : inOrder,
      },
      {mediaType: mediaTypes.ociManifest},
    )
    for (const {diffId, plain} of layers) {
      add(diffId, plain)
      const legacy = Buffer.from(
        JSON.stringify({id: hexOf(diffId), created: '1970-01-01T00:00:00Z', os: 'linux'}),
      )
      add(digestOf(legacy), legacy)
    }
    add(config.descriptor.digest, config.bytes)
    add(made.descriptor.digest, made.bytes)
    if (name === undefined) {
      if (version === '28' && listed.length === 0) listed.push(made.descriptor)
    } else {
      const annotations = {
        'io.containerd.image.name': fullName(name),
        'org.opencontainers.image.ref.name': name.tag,
      }
      listed.push({...made.descriptor, annotations})
      const top = layers.at(-1)
      if (top !== undefined) repositories[familiar(name)] = {[name.tag]: hexOf(top.diffId)}
    }
    return {
      Config: `blobs/sha256/${hexOf(config.descriptor.digest)}`,
      RepoTags: name === undefined ? null : [`${familiar(name)}:${name.tag}`],
      Layers: layers.map(({diffId}) => `blobs/sha256/${hexOf(diffId)}`),
      LayerSources: version === '25.0.0-rc' ? undefined : Object.fromEntries(sources),
    }
  })
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: listed.length === 0 ? null : listed,
  }
  const isNamed = Object.keys(repositories).length > 0
  const named: readonly Entry[] = isNamed ? [{path: 'repositories', bytes: encoded(repositories)}] : []
  return [
    ...inBlobs(blobs),
    {path: 'index.json', bytes: json(index)},
    {path: 'manifest.json', bytes: encoded(items)},
    {path: 'oci-layout', bytes: Buffer.from('{"imageLayoutVersion": "1.0.0"}')},
    ...named,
  ]
}

/**
 * `docker save` with the containerd store, the default since version 29: an index with the attestation that buildx put
 * beside the images. `kept` platforms alone are on the disk of the daemon.
 */
export function dockerSaveByContainerd(
  {image, name}: Required<SavedImage>,
  {kept}: {readonly kept: readonly PlatformImage[]},
): {readonly root: TestManifest; readonly attestation: Digest; readonly entries: readonly Entry[]} {
  const statement = Buffer.from(
    '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2"}',
  )
  const config = Buffer.from(
    '{"architecture":"unknown","os":"unknown","config":{},"rootfs":{"type":"layers","diff_ids":[]}}',
  )
  const [first] = kept
  if (first === undefined) throw new Error('nothing is kept')
  const attestation = makeManifest(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: {mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length},
      layers: [
        {
          mediaType: 'application/vnd.in-toto+json',
          digest: digestOf(statement),
          size: statement.length,
          annotations: {'in-toto.io/predicate-type': 'https://slsa.dev/provenance/v0.2'},
        },
      ],
    },
    {mediaType: mediaTypes.ociManifest},
  )
  const root = makeManifest(
    {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [
        ...image.platforms.map(({manifest}) => manifest.descriptor),
        {
          ...attestation.descriptor,
          annotations: {
            'vnd.docker.reference.digest': first.manifest.descriptor.digest,
            'vnd.docker.reference.type': 'attestation-manifest',
          },
          platform: {architecture: 'unknown', os: 'unknown'},
        },
      ],
    },
    {mediaType: mediaTypes.ociIndex},
  )
  const blobs = new Map<string, Uint8Array>()
  for (const bytes of [statement, config, attestation.bytes, root.bytes])
    blobs.set(hexOf(digestOf(bytes)), bytes)
  for (const platform of kept) {
    for (const {descriptor, bytes} of [platform.manifest, platform.config, ...platform.layers])
      blobs.set(hexOf(descriptor.digest), bytes)
  }
  const annotations = {
    [`containerd.io/distribution.source.${name.registry}`]: name.repository,
    'io.containerd.image.name': fullName(name),
    'org.opencontainers.image.ref.name': name.tag,
  }
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{...root.descriptor, annotations}],
  }
  const item = {
    Config: `blobs/sha256/${hexOf(first.config.descriptor.digest)}`,
    RepoTags: [`${familiar(name)}:${name.tag}`],
    Layers: first.layers.map(({descriptor}) => `blobs/sha256/${hexOf(descriptor.digest)}`),
  }
  return {
    root,
    attestation: attestation.descriptor.digest,
    entries: [
      ...inBlobs(blobs),
      {path: 'index.json', bytes: json(index)},
      {path: 'manifest.json', bytes: json([item])},
      {path: 'oci-layout', bytes: json({imageLayoutVersion: '1.0.0'})},
    ],
  }
}

/** As docker shows it: without its own host and `library/`. */
function familiar({registry, repository}: Required<SavedImage>['name']): string {
  return registry === 'docker.io' ? repository.replace(/^library\//, '') : `${registry}/${repository}`
}

/** As Go's encoder writes it, with a line break behind. */
function encoded(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`)
}
