import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {Block} from './block-cache.js'
import type {ReadOptions} from './byte-source.js'
import type {PlacedBlock} from './placed-block.js'

/** A copy of a block that stays until `release`, which may be called more than once. */
export interface KeptBlock {
  /** @throws {MirrorError} SOURCE_UNREADABLE, SOURCE_TRUNCATED, CANCELLED */
  stream(from: number, to: number, options: ReadOptions): Bytes
  readonly release: () => void
}

/** Copies of decoded blocks outside of memory, so that as long as there is room no block is decoded twice. */
export interface KeptBlocks {
  /** False if a block that is decoded now is not kept, for want of room. */
  readonly hasRoom: boolean
  has(block: Block): boolean
  /** Returns undefined if there is no copy of the block. */
  take(block: Block): KeptBlock | undefined
  /** Copies a decoded block if there is room. Never rejects. */
  keep(block: Block, bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** Returns a block that is kept once it is decoded. */
export function keptBlock(block: PlacedBlock, kept: KeptBlocks): PlacedBlock {
  const {offset, sparse} = block
  return Object.assign(keeping(block, kept), {
    offset,
    sparse: sparse && {...sparse, coded: keeping(sparse.coded, kept)},
  })
}

function keeping(block: Block, kept: KeptBlocks): Block {
  const self: Block = {
    // The size of the coded part of a block is known only later.
    get size() {
      return block.size
    },
    order: block.order,
    get isKept() {
      return kept.hasRoom
    },
    decode: async (target, signal, onFilled) => {
      await block.decode(target, signal, onFilled)
      await kept.keep(self, target)
    },
  }
  return self
}
