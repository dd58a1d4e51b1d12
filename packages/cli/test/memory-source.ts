import {
  contentKey,
  digestOf,
  mediaTypes,
  MirrorError,
  parseManifest,
  parseReference,
  type BlobSource,
  type Content,
  type Descriptor,
  type Digest,
  type ImageSource,
  type Manifest,
  type Platform,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'

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

  image(name: string | undefined, manifest: Descriptor, more: Partial<SourceImage> = {}): void {
    this.#images.push({
      name: name === undefined ? undefined : parseReference(name),
      root: {manifest},
      ...more,
    })
  }

  images(): Promise<readonly SourceImage[]> {
    return Promise.resolve(this.#images)
  }

  manifest(descriptor: Descriptor): Promise<Manifest> {
    const bytes = this.#contents.get(descriptor.digest)
    if (bytes === undefined) return Promise.reject(new MirrorError('BLOB_MISSING', `no ${descriptor.digest}`))
    return Promise.resolve(parseManifest(bytes, {mediaType: descriptor.mediaType}))
  }

  has(content: Content): boolean {
    return this.#contents.has(contentKey(content))
  }

  blob(content: Content): BlobSource {
    const bytes = this.#contents.get(contentKey(content)) ?? new Uint8Array()
    return {
      content,
      open: async function* (options = {}) {
        yield await Promise.resolve(bytes.subarray(options.offset ?? 0))
      },
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }
}
