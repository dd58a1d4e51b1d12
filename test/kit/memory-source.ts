import {
  cancelled,
  contentKey,
  digestOf,
  isPending,
  mediaTypes,
  MirrorError,
  parseManifest,
  parseReference,
  verified,
  type BlobSource,
  type Bytes,
  type Content,
  type Descriptor,
  type Digest,
  type ImageSource,
  type Manifest,
  type Platform,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import type {TestBlob, TestImage} from './images.js'

/** Returns a blob in memory, verified as every source does it. */
export function memoryBlob({bytes, descriptor}: TestBlob): BlobSource & {readonly content: Descriptor} {
  return {
    content: descriptor,
    open: ({offset = 0, signal} = {}) => {
      const rest = pieces(bytes.subarray(offset), signal)
      return offset === 0 ? verified(rest, descriptor, {what: `blob ${descriptor.digest}`}) : rest
    },
  }
}

async function* pieces(bytes: Uint8Array, signal: AbortSignal | undefined): Bytes {
  for (let at = 0; at < bytes.length; at += PIECE) {
    if (signal?.aborted) throw cancelled(signal)
    yield bytes.subarray(at, at + PIECE)
  }
}

const PIECE = 64 * 1024

/** An image source whose content is spelled out by the test. */
export class MemorySource implements ImageSource {
  readonly access = 'random'
  readonly #contents = new Map<Digest, Uint8Array>()
  readonly #images: SourceImage[] = []

  /** Adds a blob; `absent` gives the descriptor alone. */
  add(text: string, mediaType: string, options: {absent?: boolean} = {}): Descriptor {
    const bytes = Buffer.from(text)
    const digest = digestOf(bytes)
    if (options.absent !== true) this.#contents.set(digest, bytes)
    return {mediaType, digest, size: bytes.length}
  }

  manifestOf(
    layers: readonly Descriptor[],
    options: {platform?: string; subject?: Descriptor; absent?: boolean} = {},
  ): Descriptor {
    const config = this.add(
      JSON.stringify({architecture: options.platform ?? 'amd64', os: 'linux'}),
      mediaTypes.ociConfig,
    )
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config,
      layers,
      subject: options.subject,
    }
    return this.add(JSON.stringify(manifest), mediaTypes.ociManifest, options)
  }

  indexOf(children: readonly (readonly [Descriptor, Platform?])[]): Descriptor {
    const manifests = children.map(([child, platform]) => ({
      ...child,
      platform,
    }))
    return this.add(
      JSON.stringify({schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests}),
      mediaTypes.ociIndex,
    )
  }

  /** Adds an image with all that belongs to it. */
  hold({root, manifests, blobs}: TestImage, name?: string): void {
    for (const {descriptor, bytes} of [...manifests, ...blobs]) this.#contents.set(descriptor.digest, bytes)
    this.image(name, root.descriptor)
  }

  image(name: string | undefined, manifest: Descriptor, more: Partial<SourceImage> = {}): void {
    this.#images.push({
      name: name === undefined ? undefined : parseReference(name),
      root: {manifest},
      ...more,
    })
  }

  async images(): Promise<readonly SourceImage[]> {
    return this.#images
  }

  async manifest(descriptor: Descriptor): Promise<Manifest> {
    const bytes = this.#contents.get(descriptor.digest)
    if (bytes === undefined) throw missing(descriptor.digest)
    return parseManifest(bytes, {mediaType: descriptor.mediaType})
  }

  has(content: Content): boolean {
    return this.#contents.has(contentKey(content))
  }

  blob(content: Content): BlobSource {
    const bytes = this.#contents.get(contentKey(content))
    if (bytes === undefined || isPending(content)) throw missing(contentKey(content))
    return memoryBlob({bytes, descriptor: content})
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function missing(digest: Digest): MirrorError {
  return new MirrorError('BLOB_MISSING', `the test's source lacks ${digest}`, {side: 'source'})
}
