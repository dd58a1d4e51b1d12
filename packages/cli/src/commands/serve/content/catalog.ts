import {
  contentKey,
  isPending,
  type Content,
  type Descriptor,
  type Digest,
  type ImageSource,
  type PendingImage,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {blobsOf, nodesOf, type Gathered} from '../../../engine/gather.js'
import {BundleBlob, type BundlePlace} from './bundle-blob.js'
import {BundleRepository} from './bundle-repository.js'
import {Places} from './places.js'
import {ReadingTurns} from './reading-turns.js'

/** Readers at once of a bundle that is read from its start: each may have 8 MiB waiting for it. */
const READERS_IN_ORDER = 16

/** The images of all bundles, in memory but for the blobs. */
export class Catalog {
  readonly #places = new Places<BundleRepository>()

  /** The repositories, in the order in which a request without a registry finds them: Docker Hub's first. */
  get repositories(): readonly BundleRepository[] {
    return this.#places.all
  }

  /**
   * Adds the images of a bundle that have names, each under all that it holds.
   * @returns the images that are not served, with the reason
   */
  add(
    gathered: readonly Gathered[],
    source: ImageSource,
  ): readonly {readonly image: Gathered; readonly reason: string}[] {
    const left: {readonly image: Gathered; readonly reason: string}[] = []
    const place: BundlePlace = {source, turns: new ReadingTurns(READERS_IN_ORDER)}
    for (const each of gathered) {
      const {name, subject} = each.image
      if ('error' in each) left.push({image: each, reason: each.error.message})
      else if (name !== undefined) this.#addImage(each, {name, place})
      else if (subject !== undefined) this.#addReferrer(each, {subject, place})
      else left.push({image: each, reason: 'it has no name'})
    }
    return left
  }

  /** Returns the repositories that a request may mean, the likeliest first. */
  find(path: string, registry: string | undefined): readonly BundleRepository[] {
    return this.#places.find(path, registry)
  }

  #addImage(image: Gathered, {name, place}: {readonly name: Reference; readonly place: BundlePlace}): void {
    const repository = this.#places.at(name, (at) => new BundleRepository(at))
    const root = addContent(repository, image, place)
    if (root !== undefined && name.tag !== undefined) repository.addTag(name.tag, root)
  }

  /** A referrer without a name is served wherever its subject is. */
  #addReferrer(
    image: Gathered,
    {subject, place}: {readonly subject: Digest; readonly place: BundlePlace},
  ): void {
    for (const repository of this.repositories) {
      if (!repository.has(subject)) continue
      const root = addContent(repository, image, place)
      const tag = image.image.attachedAs
      if (root !== undefined && tag !== undefined) repository.addTag(tag, root)
    }
  }
}

/** Adds an image's manifests and blobs. @returns the digest of its root */
function addContent(repository: BundleRepository, image: Gathered, place: BundlePlace): Digest | undefined {
  if ('error' in image) return undefined
  if ('pending' in image) return addPending(repository, image.pending, place)
  for (const {manifest} of nodesOf(image.node)) {
    repository.addManifest(manifest)
    for (const blob of blobsOf(manifest, place.source)) {
      if (place.source.has(blob))
        repository.addBlob(blob.digest, new BundleBlob(blob, {size: blob.size, ...place}))
    }
  }
  return image.node.manifest.descriptor.digest
}

/** A docker-archive has no manifests: its layers are served as they lie there, under a manifest that names them so. */
function addPending(repository: BundleRepository, pending: PendingImage, place: BundlePlace): Digest {
  const layers = pending.layers.map(descriptorOf)
  const manifest = pending.manifest(layers)
  repository.addManifest(manifest)
  for (const content of [pending.config, ...pending.layers]) {
    const {digest, size} = descriptorOf(content)
    if (place.source.has(content)) repository.addBlob(digest, new BundleBlob(content, {size, ...place}))
  }
  return manifest.descriptor.digest
}

/** A plain layer's digest is its diff ID. */
function descriptorOf(content: Content): Descriptor {
  if (!isPending(content)) return content
  return {mediaType: content.mediaType, digest: contentKey(content), size: content.size}
}
