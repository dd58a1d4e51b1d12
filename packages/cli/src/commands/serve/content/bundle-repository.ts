import type {Digest, Manifest, Place} from '@airgap-mirror/oci-client/model'
import type {ReadableRepository, StoredBlob, StoredManifest} from '../../../server/index.js'
import type {BundleBlob} from './bundle-blob.js'

/** The images of one repository of one registry, out of bundles. */
export class BundleRepository implements ReadableRepository {
  readonly registry: string
  readonly repository: string
  readonly #tags = new Map<string, Digest>()
  readonly #manifests = new Map<Digest, Manifest>()
  readonly #blobs = new Map<Digest, BundleBlob>()

  constructor({registry, repository}: Place) {
    this.registry = registry
    this.repository = repository
  }

  addTag(tag: string, digest: Digest): void {
    this.#tags.set(tag, digest)
  }

  addManifest(manifest: Manifest): void {
    this.#manifests.set(manifest.descriptor.digest, manifest)
  }

  addBlob(digest: Digest, blob: BundleBlob): void {
    this.#blobs.set(digest, blob)
  }

  has(digest: Digest): boolean {
    return this.#manifests.has(digest)
  }

  tags(): Iterable<string> {
    return this.#tags.keys()
  }

  resolve(tag: string): Digest | undefined {
    return this.#tags.get(tag)
  }

  manifest(digest: Digest): StoredManifest | undefined {
    const found = this.#manifests.get(digest)
    return found === undefined ? undefined : storedOf(found)
  }

  referrers(subject: Digest): Iterable<StoredManifest> {
    return [...this.#manifests.values()]
      .filter((manifest) => manifest.subject?.digest === subject)
      .map(storedOf)
  }

  /** Some clients ask for manifests as blobs, and registries answer. */
  blob(digest: Digest): StoredBlob | undefined {
    const blob = this.#blobs.get(digest)
    if (blob !== undefined) return blob
    const bytes = this.#manifests.get(digest)?.bytes
    if (bytes === undefined) return undefined
    return {
      size: bytes.length,
      async *read({start, end}) {
        yield bytes.subarray(start, end)
      },
    }
  }
}

function storedOf({descriptor, bytes}: Manifest): StoredManifest {
  return {mediaType: descriptor.mediaType, digest: descriptor.digest, bytes}
}
