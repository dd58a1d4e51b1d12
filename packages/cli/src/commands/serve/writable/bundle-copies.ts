import type {GrowingLayout} from '@airgap-mirror/bundle/internal'
import {algorithmOf, MirrorError, parseManifest, type Digest} from '@airgap-mirror/oci-client/model'
import {parseContents, Refusal, type Contents, type StoredBlob} from '../../../server/index.js'
import type {Catalog} from '../content/catalog.js'
import {LayeredRepository} from '../content/layered-repository.js'
import type {KeptImages} from './kept-images.js'

interface Incomplete {
  readonly registry: string
  readonly repository: string
  readonly images: KeptImages
}

/** Makes a layout whole: what a pushed image names, and only a bundle has, is copied. The same blob is copied once at a time. */
export class BundleCopies {
  readonly #layout: GrowingLayout
  readonly #catalog: Catalog
  readonly #running = new Map<Digest, Promise<void>>()

  constructor(layout: GrowingLayout, catalog: Catalog) {
    this.#layout = layout
    this.#catalog = catalog
  }

  /**
   * Copies a blob from a bundle unless the layout has it.
   * @param from the path of the repository to take it from; undefined: any
   * @returns false if no bundle has it
   */
  async fetchBlob(digest: Digest, from: string | undefined): Promise<boolean> {
    if ((await this.#layout.blobSize(digest)) !== undefined) return true
    const {repositories} = this.#catalog
    const sources = from === undefined ? repositories : this.#catalog.find(from, undefined)
    const blob = await new LayeredRepository(sources).blob(digest)
    if (blob === undefined) return false
    await this.#copyOnce(digest, blob)
    return true
  }

  /**
   * Makes sure of everything that a manifest names.
   * @throws {Refusal} MANIFEST_BLOB_UNKNOWN, as distribution does, for an index whose children are not all there too
   */
  async complete(contents: Contents, to: Incomplete): Promise<void> {
    for (const {digest, size, foreign, isBlob} of contents.children) {
      if (isBlob) {
        const isThere = await this.fetchBlob(digest, undefined)
        if (!isThere && !foreign) throw unknown(`blob ${digest} is missing`)
        if (isThere) requireSize(digest, size, await this.#layout.blobSize(digest))
      } else if (!to.images.manifests.has(digest)) {
        requireSize(digest, size, await this.#fetchManifest(digest, to))
      }
    }
  }

  /** Copies a manifest from a bundle with all that it names. @returns its size */
  async #fetchManifest(digest: Digest, to: Incomplete): Promise<number> {
    const sources = this.#catalog.find(to.repository, to.registry)
    const found = await new LayeredRepository(sources).manifest(digest)
    if (found === undefined) throw unknown(`manifest ${digest} is missing`)
    const {bytes, mediaType} = found
    await this.complete(parseContents(bytes, mediaType), to)
    const manifest = parseManifest(bytes, {mediaType, algorithm: algorithmOf(digest)})
    await this.#layout.keep(manifest)
    await this.#layout.change(to.images.put(manifest, undefined))
    return bytes.length
  }

  #copyOnce(digest: Digest, blob: StoredBlob): Promise<void> {
    const running = this.#running.get(digest)
    if (running !== undefined) return running
    const copying = this.#copy(digest, blob).finally(() => this.#running.delete(digest))
    this.#running.set(digest, copying)
    return copying
  }

  async #copy(digest: Digest, blob: StoredBlob): Promise<void> {
    const copy = await this.#layout.begin(algorithmOf(digest))
    try {
      for await (const bytes of blob.read({start: 0, end: blob.size}, {reuseChunks: true}))
        await copy.write(bytes)
      if ((await copy.digest(algorithmOf(digest))) !== digest) {
        throw new MirrorError('DIGEST_MISMATCH', `the bundle's blob ${digest} has other content`, {
          side: 'source',
        })
      }
      await copy.commit(digest)
    } finally {
      await copy.discard()
    }
  }
}

function requireSize(digest: Digest, size: number, found: number | undefined): void {
  if (found !== size) throw unknown(`${digest} has ${found} bytes, not ${size}`)
}

function unknown(what: string): Refusal {
  return new Refusal(400, 'MANIFEST_BLOB_UNKNOWN', `manifest references unknown content: ${what}`)
}
