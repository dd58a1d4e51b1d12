import type {Block} from './block-cache.js'
import type {ReadOptions} from './byte-source.js'

/** A stretch of plain bytes of one kind. */
export interface Piece {
  /** stored: it lies in the file as it is. coded: it comes out of the decoder. */
  readonly kind: 'stored' | 'coded'
  readonly length: number
  /** Where a coded one begins among all coded bytes of its block. */
  readonly position: number
}

/** What of a block is stored as it is, and what is coded. Offsets are those of its plain bytes. */
export interface BlockLayout {
  /** What lies at `offset`, no longer than `most`. */
  pieceAt(offset: number, most: number): Piece
  /** How many coded bytes come before `offset`. */
  codedBefore(offset: number): number
  /**
   * A part of a stored piece, straight from the file: no checksum has been looked at.
   * @throws {MirrorError} SOURCE_UNREADABLE, SOURCE_TRUNCATED, CANCELLED
   */
  readStored(offset: number, length: number, options: ReadOptions): Promise<readonly Uint8Array[]>
}

/** A block of which much may be stored as it is: then only the rest is decoded, and kept. */
export interface SparseBlock {
  /**
   * Its coded bytes, one after another; they are proven with all of the block. Its size is known from the layout on: no
   * cache may be asked for it before.
   */
  readonly coded: Block
  /** Undefined where the block is better decoded as a whole. @throws {MirrorError} what reading throws, CANCELLED */
  layout(options: ReadOptions): Promise<BlockLayout | undefined>
}
