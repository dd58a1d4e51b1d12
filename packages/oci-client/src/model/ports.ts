import type {BlobSource, Content} from './blob-source.js'
import type {Descriptor} from './descriptor.js'
import type {Digest} from './digest.js'
import type {MirrorError} from './error.js'
import type {ImageManifest, Manifest} from './manifest.js'
import type {Reference} from './reference.js'

/** Requests sent and requests sent again so far, tokens and redirects included. */
export interface RequestUsage {
  readonly requests: number
  readonly retries: number
}

/** Bytes that came out of decompressors so far, and the most that was on scratch disk at once. */
export interface ReadUsage {
  readonly decoded: number
  readonly scratchPeak: number
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** An image whose bundle no longer has the manifest: it is made from the layers once they have digests. */
export interface PendingImage {
  readonly config: Descriptor
  readonly layers: readonly Content[]
  /**
   * The image's manifest, always the same bytes for the same layers.
   * @param layers one descriptor for each of `this.layers`, in their order
   */
  manifest(layers: readonly Descriptor[]): ImageManifest
}

export type ImageRoot =
  | {readonly manifest: Descriptor}
  | {readonly pending: PendingImage}
  /** The image has a name and cannot be had: why. A registry that is away does not take the others with it. */
  | {readonly error: MirrorError}

export interface SourceImage {
  /** The name the bundle records, normalised; absent where it has none. With a tag, a digest, both or neither. */
  readonly name?: Reference
  /** What the bundle says when that is not a full name: a bare tag, the inner file it came from. For messages. */
  readonly hint?: string
  readonly root: ImageRoot
  /** Set on a nameless referrer: it goes, by digest, into every repository this digest goes to. */
  readonly subject?: Digest
  /** Why the digest at the target cannot be the one the image had at its registry; absent where it is kept. */
  readonly digestChanged?: string
}

/** Where images come from: an archive, an OCI layout, another registry. */
export interface ImageSource extends AsyncDisposable {
  /** in-order: transfers should follow `BlobSource.position`; opening out of turn costs another pass. */
  readonly access: 'random' | 'in-order'
  /** Every image, in the source's order. */
  images(options?: CallOptions): Promise<readonly SourceImage[]>
  /**
   * Exact bytes, never re-serialised, verified.
   * @throws {MirrorError} BLOB_MISSING where the source lacks it, MANIFEST_INVALID, DIGEST_MISMATCH, LIMIT_EXCEEDED
   */
  manifest(descriptor: Descriptor, options?: CallOptions): Promise<Manifest>
  /** Whether the source has this content at all; false for the absent children of a sparse index and foreign layers. */
  has(content: Content): boolean
  /** @throws {MirrorError} BLOB_MISSING where `has` is false, DIGEST_MISMATCH where its size is known to be another */
  blob(content: Content): BlobSource
}

export type BlobOutcome =
  | {readonly how: 'present' | 'mounted'; readonly descriptor: Descriptor}
  | {
      readonly how: 'uploaded'
      readonly descriptor: Descriptor
      readonly sent: number
      readonly attempts: number
    }

export interface PutBlobOptions extends CallOptions {
  /** Repositories of the same registry that are known to have the blob. */
  readonly mountFrom?: readonly string[]
  /** The caller knows that the repository lacks it: do not ask. */
  readonly absent?: boolean
  /** Called with the bytes of this blob acknowledged or sent so far, absolute: it may go down after a retry. */
  readonly onProgress?: (sent: number) => void
  /**
   * Of a pending layer: waited for once its final form is known, before the registry is asked to keep it. What is noted here
   * is known to a later run however this one ends.
   */
  readonly onFinal?: (descriptor: Descriptor) => Promise<void>
}

/** Where images go: a registry, a layout, an archive. One repository a call; nothing here knows about plans. */
export interface ImageSink extends AsyncDisposable {
  /** What a tag or digest points at now; undefined where there is nothing. */
  resolve(target: Reference, options?: CallOptions): Promise<Descriptor | undefined>
  /** The manifest a tag or digest points at now; undefined where there is nothing. */
  manifest(target: Reference, options?: CallOptions): Promise<Manifest | undefined>
  /** A hint: what was there a moment ago may be gone. */
  hasBlob(repository: string, digest: Digest, options?: CallOptions): Promise<boolean>
  /** @throws {MirrorError} those of the source, and of the registry */
  putBlob(repository: string, blob: BlobSource, options?: PutBlobOptions): Promise<BlobOutcome>
  /**
   * Stores a manifest under the reference's tag, or by digest where it has none.
   * @throws {MirrorError} BLOB_UNKNOWN where the registry misses content that the manifest names, MANIFEST_REJECTED
   */
  putManifest(target: Reference, manifest: Manifest, options?: CallOptions): Promise<void>
}
