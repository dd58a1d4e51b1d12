import {BlockBytes} from '../bytes/block-bytes.js'
import type {ByteSource} from '../bytes/byte-source.js'
import {keptBlock} from '../bytes/kept-blocks.js'
import type {PlacedBlock} from '../bytes/placed-block.js'
import type {Usage} from '../bytes/usage.js'
import {BlockScratch} from './block-scratch.js'
import type {OpenPackedOptions} from './open-options.js'
import {scratchOf} from './scratch-file.js'

export interface Blocks {
  readonly blocks: readonly PlacedBlock[]
  /** All plain bytes. */
  readonly size: number
  /** Counts what the blocks decode. */
  readonly usage: Usage
}

/** Opens blocks of a source that are decoded separately, and kept in scratch if they are read often. */
export function openBlocks(
  packed: ByteSource,
  {blocks, size, usage}: Blocks,
  {cache, contentFollows, readOften = false, scratch, onNote}: OpenPackedOptions,
): ByteSource {
  const {name} = packed
  const largest = blocks.reduce((most, block) => Math.max(most, block.size), 0)
  const kept = readOften
    ? new BlockScratch({name, scratch: scratchOf(scratch), largest, usage, onNote})
    : undefined
  return new BlockBytes({
    name,
    size,
    blocks: kept === undefined ? blocks : blocks.map((block) => keptBlock(block, kept)),
    cache,
    kept,
    usage,
    contentFollows,
    dispose: async () => packed[Symbol.asyncDispose](),
  })
}
