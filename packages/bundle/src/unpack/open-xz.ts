import {limits} from '@airgap-mirror/oci-client/model'
import type {PlacedBlock} from '../bytes/placed-block.js'
import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'
import type {Packing} from '../bytes/packing.js'
import {LONGEST_BLOCK_HEADER, unknownFilter} from '../codecs/xz/block-header.js'
import {filterNotKnown} from '../codecs/xz/known-filters.js'
import type {OpenPackedOptions} from './open-options.js'
import {openBlocks} from './open-blocks.js'
import {spooledOrTwice, tooBig} from './open-sequential.js'
import type {Usage} from '../bytes/usage.js'
import {readBlockTable, type XzBlockTable} from '../codecs/xz/block-table.js'
import {decodeBlock} from '../codecs/xz/decode-block.js'
import {refuseBigDictionaries} from '../codecs/xz/dictionary.js'
import {xzDecoder, type XzDecoder} from '../codecs/xz/decoder.js'
import {chunkMaps, sparseBlock} from '../codecs/xz/sparse-block.js'

/**
 * Opens a whole .xz file. Several blocks, or a block that fits in memory, are decoded separately; one big block is
 * decoded as a stream.
 */
export async function openXz(packed: ByteSource, options: OpenPackedOptions): Promise<ByteSource> {
  const size = await packed.size(options)
  const table = await readBlockTable({
    name: packed.name,
    size,
    read: async (offset, length) => packed.read(offset, length, options),
  })
  if (options.maxPlainBytes !== undefined && table.plainSize > options.maxPlainBytes) {
    throw tooBig(packed.name, options.maxPlainBytes)
  }
  const packing: Packing = {codec: 'xz', blocks: blocksOf(table)}
  const {decode, library} = await xzDecoder()
  await refuseUnknownFilter(table, packed, {...options, library})
  if (!canBeBlocks(table, options.budget)) {
    await refuseBigDictionaries(table, packed, options)
    const plain = await spooledOrTwice(packed, {...options, decode, plainSize: table.plainSize})
    plain.packing = packing
    return plain
  }
  const usage: Usage = {decoded: 0, scratchPeak: 0}
  const onDecoded = (bytes: number): void => {
    usage.decoded += bytes
  }
  const maps = chunkMaps(packed)
  const blocks = table.blocks.map((block): PlacedBlock => ({
    offset: block.plainOffset,
    size: block.plainSize,
    order: block.plainOffset,
    decode: async (target, signal, onFilled) =>
      decodeBlock(block, {
        packed,
        decode,
        signal,
        onDecoded,
        onPlain: (chunk, offset) => {
          target.set(chunk, offset)
          onFilled(offset + chunk.length)
        },
      }),
    // Scattered small reads are cheap only on a random-access file.
    sparse: packed.access === 'random' ? sparseBlock(block, {packed, decode, onDecoded, maps}) : undefined,
  }))
  const plain = openBlocks(packed, {blocks, size: table.plainSize, usage}, options)
  plain.packing = packing
  return plain
}

// liblzma 5.2 would call a newer filter an invalid option, and a reader would take the file for damaged.
async function refuseUnknownFilter(
  {blocks: [first]}: XzBlockTable,
  packed: ByteSource,
  {library, ...options}: ReadOptions & {readonly library: XzDecoder['library']},
): Promise<void> {
  if (first === undefined) return
  const length = Math.min(LONGEST_BLOCK_HEADER, first.unpaddedSize)
  const header = await packed.read(first.packedOffset, length, {signal: options.signal})
  const filter = unknownFilter(header, library)
  if (filter !== undefined) throw filterNotKnown(packed.name, filter, library)
}

function blocksOf({blocks}: XzBlockTable): NonNullable<Packing['blocks']> {
  return {count: blocks.length, largest: blocks.reduce((most, {plainSize}) => Math.max(most, plainSize), 0)}
}

function canBeBlocks({blocks, plainSize}: XzBlockTable, budget: number): boolean {
  return (
    plainSize <= budget ||
    (blocks.length > 1 && blocks.every((block) => block.plainSize <= limits.xzBlockBytes))
  )
}
