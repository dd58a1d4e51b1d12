import type {GrowingLayout} from '@airgap-mirror/bundle/internal'
import {
  algorithmOf,
  isMirrorError,
  parseManifest,
  type Digest,
  type DigestAlgorithm,
  type Manifest,
  type Place,
} from '@airgap-mirror/oci-client/model'
import {
  Refusal,
  type BlobWriter,
  type IncomingManifest,
  type StoredBlob,
  type StoredManifest,
  type WritableRepository,
} from '../../../server/index.js'
import type {BundleCopies} from './bundle-copies.js'
import {KeptImages, type Step} from './kept-images.js'

/** A repository that takes pushes. Blobs are those of the whole layout; tags and manifests are its own. */
export class LayoutRepository implements WritableRepository {
  readonly images: KeptImages
  readonly #layout: GrowingLayout
  readonly #copies: BundleCopies

  constructor(
    place: Place,
    {layout, copies}: {readonly layout: GrowingLayout; readonly copies: BundleCopies},
  ) {
    this.images = new KeptImages(place)
    this.#layout = layout
    this.#copies = copies
  }

  get registry(): string {
    return this.images.place.registry
  }

  get repository(): string {
    return this.images.place.repository
  }

  tags(): Iterable<string> {
    return this.images.tags.keys()
  }

  resolve(tag: string): Digest | undefined {
    return this.images.tags.get(tag)
  }

  async manifest(digest: Digest): Promise<StoredManifest | undefined> {
    const known = this.images.manifests.get(digest)
    const found = known === undefined ? undefined : await this.#layout.manifest(known.descriptor)
    return found === undefined ? undefined : {...found.descriptor, bytes: found.bytes}
  }

  async referrers(subject: Digest): Promise<Iterable<StoredManifest>> {
    const known = [...this.images.manifests].filter(([, manifest]) => manifest.subject === subject)
    const found = await Promise.all(known.map(([digest]) => this.manifest(digest)))
    return found.filter((manifest) => manifest !== undefined)
  }

  async blob(digest: Digest): Promise<StoredBlob | undefined> {
    const size = await this.#layout.blobSize(digest)
    if (size === undefined) return undefined
    return {size, read: (range, options) => this.#layout.readBlob(digest, {...range, ...options})}
  }

  receive(algorithm: DigestAlgorithm): Promise<BlobWriter> {
    return this.#layout.begin(algorithm)
  }

  mount(digest: Digest, from: string | undefined): Promise<boolean> {
    return this.#copies.fetchBlob(digest, from)
  }

  async putManifest({bytes, mediaType, digest, contents, tag}: IncomingManifest): Promise<void> {
    const manifest = readAsClient(bytes, {mediaType, digest})
    await this.#copies.complete(contents, this)
    await this.#layout.keep(manifest)
    await this.#take(this.images.put(manifest, tag))
  }

  async deleteManifest(digest: Digest): Promise<boolean> {
    return this.#take(this.images.dropManifest(digest))
  }

  async deleteTag(tag: string): Promise<boolean> {
    return this.#take(this.images.dropTag(tag))
  }

  deleteBlob(): never {
    throw new Refusal(405, 'UNSUPPORTED', 'blobs cannot be deleted here')
  }

  async #take(step: Step | undefined): Promise<boolean> {
    if (step === undefined) return false
    try {
      await this.#layout.change(step)
    } catch (error) {
      step.undo()
      throw error
    }
    return true
  }
}

/**
 * Reads a manifest as a later push of the layout does, so that nothing is kept that it would refuse.
 * @throws {Refusal} MANIFEST_INVALID
 */
function readAsClient(
  bytes: Uint8Array,
  {mediaType, digest}: {readonly mediaType: string; readonly digest: Digest},
): Manifest {
  try {
    return parseManifest(bytes, {mediaType, algorithm: algorithmOf(digest)})
  } catch (error) {
    if (isMirrorError(error)) throw new Refusal(400, 'MANIFEST_INVALID', error.message)
    throw error
  }
}
