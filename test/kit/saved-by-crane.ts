import {digestOf, hexOf, mediaTypes} from '@airgap-mirror/oci-client/model'
import {fullName, inBlobs, json, onlyPlatform, type SavedImage} from './saved-image.js'
import type {Entry} from './tar.js'

/** `crane pull --format=tarball`: compressed layers under their digest, each once, manifest.json last. */
export function craneTarball(images: readonly Required<SavedImage>[]): readonly Entry[] {
  const entries = new Map<string, Entry>()
  const items = images.map(({image, name}) => {
    const {config, layers} = onlyPlatform(image)
    const files = layers.map(({descriptor}) => `${hexOf(descriptor.digest)}.tar.gz`)
    entries.set(config.descriptor.digest, {path: config.descriptor.digest, bytes: config.bytes})
    for (const [at, {bytes}] of layers.entries()) entries.set(files[at] ?? '', {path: files[at] ?? '', bytes})
    return {Config: config.descriptor.digest, RepoTags: [fullName(name)], Layers: files}
  })
  return [...entries.values(), {path: 'manifest.json', bytes: json(items)}]
}

/** `crane pull --format=legacy`: a directory for each layer with its plain tar, then manifest.json and repositories. */
export function craneLegacy(images: readonly Required<SavedImage>[]): readonly Entry[] {
  const entries = new Map<string, Entry>()
  const add = (path: string, bytes: Uint8Array): void => void entries.set(path, {path, bytes})
  const repositories: Record<string, Record<string, string>> = {}
  const items = images.map(({image, name}) => {
    const {config, layers} = onlyPlatform(image)
    const file = `${hexOf(config.descriptor.digest)}.json`
    add(file, config.bytes)
    let parent = ''
    const files = layers.map(({descriptor, plain}) => {
      const id = hexOf(digestOf(Buffer.from(`${hexOf(descriptor.digest)} ${parent}`)))
      add(`${id}/layer.tar`, plain)
      add(`${id}/json`, json({id, parent: parent === '' ? undefined : parent, container_config: {Cmd: ['']}}))
      add(`${id}/VERSION`, Buffer.from('1.0'))
      parent = id
      return `${id}/layer.tar`
    })
    repositories[`${name.registry}/${name.repository}`] = {[name.tag]: parent}
    return {Config: file, RepoTags: [fullName(name)], Layers: files}
  })
  return [
    ...entries.values(),
    {path: 'manifest.json', bytes: json(items)},
    {path: 'repositories', bytes: json(repositories)},
  ]
}

/** `crane pull --format=oci`, a directory; with `--annotate-ref` the full name is the image-spec's annotation. */
export function craneLayout(
  images: readonly Required<SavedImage>[],
  {annotateRef}: {readonly annotateRef: boolean},
): readonly Entry[] {
  const blobs = new Map<string, Uint8Array>()
  for (const {image} of images) {
    for (const {descriptor, bytes} of [...image.manifests, ...image.blobs])
      blobs.set(hexOf(descriptor.digest), bytes)
  }
  const manifests = images.map(({image, name}) => ({
    ...image.root.descriptor,
    annotations: annotateRef ? {'org.opencontainers.image.ref.name': fullName(name)} : undefined,
  }))
  return [
    ...inBlobs(blobs),
    {path: 'index.json', bytes: json({schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests})},
    {path: 'oci-layout', bytes: Buffer.from('{\n    "imageLayoutVersion": "1.0.0"\n}')},
  ]
}
