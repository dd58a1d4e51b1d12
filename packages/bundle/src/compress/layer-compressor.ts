import {availableParallelism} from 'node:os'
import {mediaTypes, type Bytes} from '@airgap-mirror/oci-client/model'
import {BlockBudget} from './block-budget.js'
import type {PackedBlock} from './block-packer.js'
import {BlockPool} from './block-pool.js'
import type {CompressLayer, LayerCompression} from './compress.js'
import {gzipMember} from './gzip-member.js'
import {packedBlocks} from './packed-blocks.js'
import {passThrough} from './pass-through.js'

export interface LayerCompressor {
  /** The media type of the compressed layer in a manifest. */
  readonly mediaType: string
  /** Many calls may be open at once; they share the threads and the memory. */
  readonly compress: CompressLayer
  /** Ends the threads. Open calls fail. */
  close(): Promise<void>
}

export interface LayerCompressorOptions {
  /** The most threads. Default: the number of processors, at most `mostThreads`. */
  readonly threads?: number
}

/**
 * Increase it with every change that gives a layer other bytes, including new versions of libraries. Remembered results
 * of earlier compressions are then stale.
 */
export const LAYER_FORMAT = 2

/** A thread costs some 30 MiB, and four threads pack 400 MB/s, more than most decompressors before them give. */
const mostThreads = 4

/** Blocks in flight for each thread, besides one for each open call: packing, waiting, and being read. */
const blocksPerThread = 3

/**
 * Compresses layers over threads that start with the first layer. The same layer always gives the same bytes, no matter
 * its chunks and the number of threads. In flight are `3 * threads` blocks and one for each open call. A block is 1 MiB
 * with gzip and 2 MiB with zstd, and about half of that more when packed.
 * gzip is one member, as every reader expects; the encoder is ours because no zlib gives the same bytes everywhere. zstd
 * is a frame for every block, which all readers of registries join.
 */
export function createLayerCompressor(
  method: LayerCompression,
  options: LayerCompressorOptions = {},
): LayerCompressor {
  if (method === 'none') return {mediaType: mediaTypes.ociLayer, compress: passThrough, close: async () => {}}
  const {mediaType, frame} = formats[method]
  const threads = Math.max(1, options.threads ?? Math.min(mostThreads, availableParallelism()))
  const pool = new BlockPool(method, threads)
  const budget = new BlockBudget(blocksPerThread * threads)
  return {
    mediaType,
    compress: (plain, call) => copied(frame(packedBlocks(plain, {pool, budget, signal: call?.signal}))),
    close: () => pool.close(),
  }
}

/** An upload may hold a chunk for longer than the next one takes. */
async function* copied(bytes: Bytes): Bytes {
  for await (const chunk of bytes) yield new Uint8Array(chunk)
}

async function* zstdFrames(blocks: AsyncIterable<PackedBlock>): Bytes {
  for await (const {bytes} of blocks) yield bytes
}

const formats = {
  gzip: {mediaType: mediaTypes.ociLayerGzip, frame: gzipMember},
  zstd: {mediaType: mediaTypes.ociLayerZstd, frame: zstdFrames},
} as const
