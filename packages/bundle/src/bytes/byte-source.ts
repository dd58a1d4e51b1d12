import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {Level} from './level.js'
import type {Packing} from './packing.js'

export interface ReadOptions {
  readonly signal?: AbortSignal
  /** The caller proves the bytes itself, by a digest or checksum. They need not wait for the compression's checksum. */
  readonly unproven?: boolean
  /** For streams: the caller is done with a chunk before it asks for the next, and its memory may be used again. */
  readonly reuseChunks?: boolean
  /** For the file of a stream: the caller has announced itself by `BlobSource.keep`, whose rules hold for the chunks. */
  readonly isKept?: boolean
}

/**
 * The plain bytes of an archive: a file, xz blocks, one compressed stream read once or twice, or a range of another
 * source. Its users need not know that a bundle is compressed.
 */
export interface ByteSource extends AsyncDisposable {
  /** For messages: the file, and the path inside it for nested archives. */
  readonly name: string
  /**
   * random: any offset costs the same. blocks: an offset costs the decoding of its block. in-order: an offset before the
   * current position costs another pass from the start.
   */
  readonly access: 'random' | 'blocks' | 'in-order'
  /** Bytes that came out of decompressors so far; and the most bytes that were in scratch at once. */
  readonly usage: {readonly decoded: number; readonly scratchPeak: number}
  /**
   * Returns up to `length` bytes at `offset`; fewer only if the source ends before. Meant for small reads.
   * @throws {MirrorError} SOURCE_TRUNCATED, SOURCE_CORRUPT, SOURCE_UNREADABLE, CANCELLED
   */
  read(offset: number, length: number, options?: ReadOptions): Promise<Uint8Array>
  /**
   * Streams exactly `length` bytes from `offset`; many streams may be open at once. The consumer may keep the chunks
   * unless it sets `reuseChunks`.
   * @throws {MirrorError} SOURCE_TRUNCATED if the source ends before, SOURCE_CORRUPT, SOURCE_UNREADABLE, CANCELLED
   */
  stream(offset: number, length: number, options?: ReadOptions): Bytes
  /**
   * Announces a read or stream at `offset`. An in-order source does not move past it before that read or stream begins,
   * or the returned function is called. That function is idempotent.
   */
  hold(offset: number): () => void
  /** Set by the function that opened the source; absent for a range of another source. */
  level?: Level
  /** Set by the function that opened the source, if its bytes are compressed. */
  packing?: Packing
  /** Returns the total plain size. An in-order source reads to its end for it, which also proves its checksums. */
  size(options?: ReadOptions): Promise<number>
}
