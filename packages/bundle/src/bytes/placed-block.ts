import type {Block} from './block-cache.js'
import type {SparseBlock} from './sparse-block.js'

/** A block with its place in the plain bytes of its source. */
export interface PlacedBlock extends Block {
  /** The offset of its first plain byte. */
  readonly offset: number
  readonly sparse: SparseBlock | undefined
}

/** Returns the index of the last block that begins at or before the offset. */
export function blockIndexAt(blocks: readonly PlacedBlock[], offset: number): number {
  let low = 0
  let high = blocks.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((blocks[middle]?.offset ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}

/** Returns every part of a block that a cache may hold. */
export function cachedOf(block: PlacedBlock): readonly Block[] {
  return block.sparse === undefined ? [block] : [block, block.sparse.coded]
}
