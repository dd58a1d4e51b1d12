import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {Level} from './level.js'

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
  /** The caller proves the bytes itself, by a digest or a checksum of theirs: they need not wait for the compression's. */
  readonly unproven?: boolean
  /** For streams: the caller is done with a chunk before it asks for the next, and its memory may be used again. */
  readonly reuseChunks?: boolean
}

/**
 * The plain bytes of an archive, whatever lies below: a file, xz blocks, one compressed stream read once or twice, a
 * range of another source. Above it nobody knows that a bundle is compressed.
 */
export interface ByteSource extends AsyncDisposable {
  /** For messages: the file, and the path inside it for nested archives. */
  readonly name: string
  /**
   * random: any offset costs the same. blocks: an offset costs the decoding of its block. in-order: an offset behind the
   * one reached costs another pass from the start.
   */
  readonly access: 'random' | 'blocks' | 'in-order'
  /** Bytes that came out of decompressors so far; the most that was on scratch disk at once. */
  readonly usage: {readonly decoded: number; readonly scratchPeak: number}
  /**
   * Up to `length` bytes at `offset`; fewer only where the source ends before. Meant for small reads.
   * @throws {MirrorError} SOURCE_TRUNCATED, SOURCE_CORRUPT, SOURCE_UNREADABLE, CANCELLED
   */
  read(offset: number, length: number, options?: ReadOptions): Promise<Uint8Array>
  /**
   * Streams exactly `length` bytes from `offset`; many streams may be open at once. Chunks are the consumer's to keep,
   * unless it says otherwise.
   * @throws {MirrorError} SOURCE_TRUNCATED where the source ends before, SOURCE_CORRUPT, SOURCE_UNREADABLE, CANCELLED
   */
  stream(offset: number, length: number, options?: ReadOptions): Bytes
  /**
   * Says that a read or stream at `offset` will follow: an in-order source does not move past it until the returned
   * function is called, or a read or stream that begins at this very offset has come. Idempotent.
   */
  hold(offset: number): () => void
  /** Set by the function that opened it; absent for a range of another source. */
  level?: Level
  /** Total plain size. An in-order source reads to its end for it, which also proves its checksums. */
  size(options?: ReadOptions): Promise<number>
}
