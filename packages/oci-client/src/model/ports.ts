import type {BlobSource, Content} from './blob-source.js'
import type {Descriptor} from './descriptor.js'
import type {Digest} from './digest.js'
import type {MirrorError} from './error.js'
import type {ImageManifest, Manifest} from './manifest.js'
import type {Reference} from './reference.js'

/** Requests and retries so far, token requests and redirects included. */
export interface RequestUsage {
  readonly requests: number
  readonly retries: number
}

/** Bytes decompressed so far, and the peak use of scratch. */
export interface ReadUsage {
  readonly decoded: number
  readonly scratchPeak: number
}

/** Options of every call that waits. An aborted signal ends the call with CANCELLED. */
export interface CallOptions {
  readonly signal?: AbortSignal
}

/** An image whose bundle lacks the manifest. The manifest is made from the layers once they have digests. */
export interface PendingImage {
  readonly config: Descriptor
  readonly layers: readonly Content[]
  /**
   * Returns the image's manifest, always the same bytes for the same layers.
   * @param layers one descriptor for each of `this.layers`, in their order
   */
  manifest(layers: readonly Descriptor[]): ImageManifest
}

/** The top of an image: its manifest or index, or the reason why there is none. */
export type ImageRoot =
  | {readonly manifest: Descriptor}
  | {readonly pending: PendingImage}
  /** The reason why a named image cannot be read. An unreachable registry does not stop the images of others. */
  | {readonly error: MirrorError}

/** An image or a referrer of a source, with the name that the source gives it. */
export interface SourceImage {
  /** The name that the bundle records, normalised, with a tag, a digest, both or neither. Absent if it records none. */
  readonly name?: Reference
  /** For messages: text in the bundle that is not a full name, such as a bare tag or the inner file it came from. */
  readonly shownAs?: string
  /** A name that the source records for it and that no registry takes: with capitals, a `+`, too long a tag. */
  readonly refusedName?: string
  readonly root: ImageRoot
  /** The image ID: the digest of its config. An image that was saved by it may have no other name. */
  readonly id?: Digest
  /** Set on a nameless referrer: it goes into every repository this digest goes to. */
  readonly subject?: Digest
  /** The tag under which cosign finds a nameless referrer. Absent if its digest is enough. */
  readonly attachedAs?: string
  /** The reason why the digest at the target differs from the image's digest at its registry. Absent if it does not. */
  readonly digestChanged?: string
}

/** A source of images: an archive, an OCI layout, another registry. */
export interface ImageSource extends AsyncDisposable {
  /**
   * `blocks` and `in-order`: transfers should follow `BlobSource.position`. Another order costs the decoding of a block, or
   * another pass.
   */
  readonly access: 'random' | 'blocks' | 'in-order'
  /** Returns every image, in the source's order. */
  images(options?: CallOptions): Promise<readonly SourceImage[]>
  /**
   * Returns the exact bytes, verified and never re-serialised.
   * @throws {MirrorError} BLOB_MISSING if the source lacks it, MANIFEST_INVALID, DIGEST_MISMATCH, LIMIT_EXCEEDED
   */
  manifest(descriptor: Descriptor, options?: CallOptions): Promise<Manifest>
  /**
   * Returns false if the source is known to lack this content: absent children of a sparse index, foreign layers. A
   * registry is not asked, so a blob that is true here may still be missing when it is opened.
   */
  has(content: Content): boolean
  /** @throws {MirrorError} BLOB_MISSING if `has` is false or, at the latest, when it is opened; DIGEST_MISMATCH if its size is known to differ */
  blob(content: Content): BlobSource
}

/** The way in which a repository came to have a blob. `sent` counts bytes over all attempts. */
export type BlobOutcome =
  | {readonly how: 'present' | 'mounted'; readonly descriptor: Descriptor}
  | {
      readonly how: 'uploaded'
      readonly descriptor: Descriptor
      readonly sent: number
      readonly attempts: number
    }

/** Options of `ImageSink.hasBlob`. */
export interface HasBlobOptions extends CallOptions {
  /** The size that the blob must have. If the target names another one, the bytes are read and decide. */
  readonly size?: number
}

/** Options of `ImageSink.putBlob`. */
export interface PutBlobOptions extends CallOptions {
  /** Repositories of the same registry that are known to have the blob. */
  readonly mountFrom?: readonly string[]
  /** The caller knows that the repository lacks the blob, so the sink does not ask. */
  readonly absent?: boolean
  /**
   * A blob that is there must have the content's size. If the target names another one, the bytes are read and decide.
   */
  readonly recheck?: boolean
  /**
   * Called with the bytes of this blob acknowledged or sent so far. The number is absolute and may go down after a
   * retry.
   */
  readonly onProgress?: (sent: number) => void
  /**
   * For a pending layer: awaited once its final form is known, before the registry is asked to keep it.
   * A later run can rely on the descriptor even if this run fails afterwards.
   */
  readonly onFinal?: (descriptor: Descriptor) => Promise<void>
}

/** Options of `ImageSink.putManifest`. */
export interface PutManifestOptions extends CallOptions {
  /**
   * Called with the digest by which the target says that it knows the manifest, proven to belong to the bytes. Some
   * registries know no sha512.
   */
  readonly onStored?: (digest: Digest) => void
}

/** A target of images: a registry, a layout, an archive. One repository a call; nothing here knows about plans. */
export interface ImageSink extends AsyncDisposable {
  /** Returns the descriptor that a tag or digest points at now, or undefined if there is none. */
  resolve(target: Reference, options?: CallOptions): Promise<Descriptor | undefined>
  /** Returns the manifest that a tag or digest points at now, or undefined if there is none. */
  manifest(target: Reference, options?: CallOptions): Promise<Manifest | undefined>
  /**
   * Returns true if the repository had the blob when asked. It may be gone by now.
   * @throws {MirrorError} DIGEST_MISMATCH, not inconclusive, if a blob of another size has wrong bytes (`isDamaged`)
   */
  hasBlob(repository: string, digest: Digest, options?: HasBlobOptions): Promise<boolean>
  /**
   * @throws {MirrorError} the errors of the source and of the registry; DIGEST_MISMATCH if a target keeps a damaged blob
   * after it took a whole one
   */
  putBlob(repository: string, blob: BlobSource, options?: PutBlobOptions): Promise<BlobOutcome>
  /**
   * Stores a manifest under the reference's tag, or by digest if it has none.
   * @throws {MirrorError} BLOB_UNKNOWN if the registry lacks content that the manifest names, MANIFEST_REJECTED
   */
  putManifest(target: Reference, manifest: Manifest, options?: PutManifestOptions): Promise<void>
}
