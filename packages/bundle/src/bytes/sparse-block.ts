import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {Block} from './block-cache.js'
import type {ReadOptions} from './byte-source.js'

/** A stretch of plain bytes of one kind. */
export interface Piece {
  /** stored: uncompressed in the file. coded: comes out of the decoder. */
  readonly kind: 'stored' | 'coded'
  readonly length: number
  /** The offset of a coded piece among all coded bytes of its block. */
  readonly position: number
}

/** The stored and the coded parts of a block. Offsets are in plain bytes of the block. */
export interface BlockLayout {
  /** Returns the piece at `offset`, no longer than `most`. */
  pieceAt(offset: number, most: number): Piece
  /** Returns the number of coded bytes before `offset`. */
  codedBefore(offset: number): number
  /**
   * Streams a part of a stored piece straight from the file; no checksum proves it.
   * @throws {MirrorError} SOURCE_UNREADABLE, SOURCE_TRUNCATED, CANCELLED
   */
  streamStored(offset: number, length: number, options: ReadOptions): Bytes
}

/** A block that may be stored in large part: then only the rest is decoded and cached. */
export interface SparseBlock {
  /**
   * Its coded bytes joined, proven together with the whole block. Its size is known only after `layout`; do not ask a
   * cache for it before.
   */
  readonly coded: Block
  /**
   * Returns undefined if the block is better decoded as a whole. @throws {MirrorError} CANCELLED, and the errors of
   * reading
   */
  layout(options: ReadOptions): Promise<BlockLayout | undefined>
}
