import pLimit from 'p-limit'
import {
  isDamaged,
  isInconclusive,
  type CallOptions,
  type Descriptor,
  type Digest,
  type ImageSink,
  type ImageSource,
} from '@airgap-mirror/oci-client/model'
import {blobsOf, nodesOf, type ImageNode} from './gather.js'

/** The evidence that an image is at a target: its tag; also every manifest below it; or also every blob. */
export type Proof = 'tag' | 'manifests' | 'content'

export interface BelowOptions extends CallOptions {
  readonly source: Pick<ImageSource, 'has'>
  readonly sink: Pick<ImageSink, 'resolve' | 'hasBlob'>
  readonly registry: string
  readonly proof: Proof
  /** Small requests at once. */
  readonly concurrency: number
}

/**
 * Asks a target for content below tags that are there, because registries collect garbage below an index and keep its tag.
 * Each content is asked for once a repository.
 */
export class Below {
  readonly #options: BelowOptions
  readonly #atOnce: ReturnType<typeof pLimit>
  readonly #asked = new Map<string, Promise<boolean>>()

  constructor(options: BelowOptions) {
    this.#options = options
    this.#atOnce = pLimit(options.concurrency)
  }

  /**
   * Resolves to the digests that a repository lacks of an image's tree, and to those of all manifests above them. A
   * target that does not say counts as having the content.
   * @throws {MirrorError} if the target cannot be asked
   */
  async lost(root: ImageNode, repository: string): Promise<ReadonlySet<Digest>> {
    const {proof, source} = this.#options
    const lost = new Set<Digest>()
    if (proof === 'tag') return lost
    const nodes = nodesOf(root)
    await Promise.all(
      nodes.flatMap((node) => {
        const {digest} = node.manifest.descriptor
        const blobs = proof === 'content' ? blobsOf(node.manifest, source) : []
        return [
          ...(node === root ? [] : [this.#manifest(repository, digest)]),
          ...blobs.map((blob) => this.#blob(repository, blob)),
        ].map(async (asking) => {
          const absent = await asking
          if (absent !== undefined) lost.add(absent)
        })
      }),
    )
    for (const {manifest, children} of nodes) {
      const below = [...children.map((child) => child.manifest.descriptor), ...blobsOf(manifest, source)]
      if (below.some(({digest}) => lost.has(digest))) lost.add(manifest.descriptor.digest)
    }
    return lost
  }

  /** Resolves to those of the blobs that a repository lacks; to none if blobs are no part of the proof. */
  async lostBlobs(blobs: readonly Descriptor[], repository: string): Promise<ReadonlySet<Digest>> {
    if (this.#options.proof !== 'content') return new Set()
    const absent = await Promise.all(blobs.map((blob) => this.#blob(repository, blob)))
    return new Set(absent.filter((digest) => digest !== undefined))
  }

  #manifest(repository: string, digest: Digest): Promise<Digest | undefined> {
    const {sink, registry, signal} = this.#options
    return this.#ask(`${repository}@${digest}`, digest, async () => {
      return (await sink.resolve({registry, repository, digest}, {signal})) !== undefined
    })
  }

  /** A damaged blob counts as absent. */
  #blob(repository: string, {digest, size}: Descriptor): Promise<Digest | undefined> {
    const {sink, signal} = this.#options
    return this.#ask(`${repository}/blobs/${digest}`, digest, () =>
      unlessDamaged(sink.hasBlob(repository, digest, {size, signal})),
    )
  }

  /** Resolves to the digest if it is absent. */
  async #ask(key: string, digest: Digest, ask: () => Promise<boolean>): Promise<Digest | undefined> {
    const asked = this.#asked.get(key) ?? this.#atOnce(() => unlessInconclusive(ask))
    this.#asked.set(key, asked)
    return (await asked) ? undefined : digest
  }
}

/** Resolves to false if the blob is there with wrong bytes. */
export async function unlessDamaged(asking: Promise<boolean>): Promise<boolean> {
  try {
    return await asking
  } catch (error) {
    if (isDamaged(error)) return false
    throw error
  }
}

async function unlessInconclusive(ask: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ask()
  } catch (error) {
    if (isInconclusive(error)) return true
    throw error
  }
}
