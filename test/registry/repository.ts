import {
  parseContents,
  type BlobWriter,
  type IncomingManifest,
  type StoredBlob,
  type StoredManifest,
  type WritableRepository,
} from '@airgap-mirror/cli/server'
import type {Digest, DigestAlgorithm} from '@airgap-mirror/oci-client/model'
import type {Storage} from './storage.js'

export interface RepositoryOptions {
  readonly name: string
  readonly storage: Storage
  /** @throws {Refusal} if the manifest may not be kept */
  readonly check: (manifest: IncomingManifest, repository: Repository) => void
}

/** A repository in memory, whose blobs are in a storage. */
export class Repository implements WritableRepository {
  readonly name: string
  readonly blobs = new Set<Digest>()
  readonly manifests = new Map<Digest, StoredManifest>()
  readonly marks = new Map<string, Digest>()
  readonly #options: RepositoryOptions

  constructor(options: RepositoryOptions) {
    this.name = options.name
    this.#options = options
  }

  tags(): Iterable<string> {
    return this.marks.keys()
  }

  resolve(tag: string): Digest | undefined {
    return this.marks.get(tag)
  }

  manifest(digest: Digest): StoredManifest | undefined {
    return this.manifests.get(digest)
  }

  referrers(subject: Digest): Iterable<StoredManifest> {
    return [...this.manifests.values()].filter(
      ({bytes, mediaType}) => parseContents(bytes, mediaType).subject === subject,
    )
  }

  blob(digest: Digest): StoredBlob | undefined {
    const {storage} = this.#options
    const size = this.blobs.has(digest) ? storage.size(digest) : undefined
    if (size === undefined) return undefined
    return {
      size,
      read: (range) => {
        const bytes = storage.read(digest, range)
        if (bytes === undefined) throw new Error(`only the size of ${digest} was kept`)
        return bytes
      },
    }
  }

  async receive(algorithm: DigestAlgorithm): Promise<BlobWriter> {
    const writer = await this.#options.storage.writer(algorithm)
    return {
      get size() {
        return writer.size
      },
      write: (chunk) => writer.write(chunk),
      digest: (asked) => writer.digest(asked),
      discard: () => writer.discard(),
      commit: async (digest) => {
        await writer.commit(digest)
        this.blobs.add(digest)
      },
    }
  }

  mount(): boolean {
    return false
  }

  putManifest(manifest: IncomingManifest): void {
    this.#options.check(manifest, this)
    const {digest, mediaType, bytes, tag} = manifest
    if (tag !== undefined) this.marks.set(tag, digest)
    this.manifests.set(digest, {mediaType, digest, bytes})
  }

  deleteManifest(digest: Digest): boolean {
    for (const [tag, target] of this.marks) if (target === digest) this.marks.delete(tag)
    return this.manifests.delete(digest)
  }

  deleteTag(tag: string): boolean {
    return this.marks.delete(tag)
  }

  deleteBlob(digest: Digest): boolean {
    return this.blobs.delete(digest)
  }
}
