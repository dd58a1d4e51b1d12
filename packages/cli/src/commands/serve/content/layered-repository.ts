import type {Digest} from '@airgap-mirror/oci-client/model'
import type {ReadableRepository, StoredBlob, StoredManifest} from '../../../server/index.js'

/** Several repositories read as one: the first that has a tag or a digest answers. */
export class LayeredRepository implements ReadableRepository {
  readonly #layers: readonly ReadableRepository[]

  constructor(layers: readonly ReadableRepository[]) {
    this.#layers = layers
  }

  *tags(): Iterable<string> {
    for (const layer of this.#layers) yield* layer.tags()
  }

  resolve(tag: string): Digest | undefined {
    for (const layer of this.#layers) {
      const digest = layer.resolve(tag)
      if (digest !== undefined) return digest
    }
    return undefined
  }

  async manifest(digest: Digest): Promise<StoredManifest | undefined> {
    for (const layer of this.#layers) {
      const manifest = await layer.manifest(digest)
      if (manifest !== undefined) return manifest
    }
    return undefined
  }

  async referrers(subject: Digest): Promise<Iterable<StoredManifest>> {
    const found = new Map<Digest, StoredManifest>()
    for (const layer of this.#layers)
      for (const manifest of await layer.referrers(subject)) found.set(manifest.digest, manifest)
    return found.values()
  }

  async blob(digest: Digest): Promise<StoredBlob | undefined> {
    for (const layer of this.#layers) {
      const blob = await layer.blob(digest)
      if (blob !== undefined) return blob
    }
    return undefined
  }
}
