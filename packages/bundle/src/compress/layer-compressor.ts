import {availableParallelism} from 'node:os'
import {mediaTypes, type Bytes} from '@airgap-mirror/oci-client/model'
import {BlockBudget} from './block-budget.js'
import type {PackedBlock} from './block-packer.js'
import {BlockPool} from './block-pool.js'
import type {CompressLayer, LayerCompression} from './compress.js'
import {gzipMember} from './gzip-member.js'
import {packedBlocks} from './packed-blocks.js'
import {passThrough} from './pass-through.js'
import {loadZstd} from './zstd-binding.js'

export interface LayerCompressor {
  /** Of the compressed layer in a manifest. */
  readonly mediaType: string
  /** Many calls may be open at once; they share the threads and the memory. */
  readonly compress: CompressLayer
  /** Ends the threads. Calls that are still open fail. */
  close(): Promise<void>
}

export interface LayerCompressorOptions {
  /** Threads at most; by default one for each processor, up to `mostThreads`. */
  readonly threads?: number | undefined
}

/**
 * Raised with every change after which a layer comes out as other bytes, new versions of libraries among them: what is
 * remembered of layers that were compressed before is then of no use.
 */
export const LAYER_FORMAT = 2

/** By default: a thread costs some 30 MiB, and four pack 400 MB/s, more than most decompressors before them give. */
const mostThreads = 4

/** Blocks in flight for each thread, beside the one that each open call may have: packing, waiting, and being read. */
const blocksPerThread = 3

/**
 * Compresses layers over threads that start with the first of them. The same layer always gives the same bytes, however
 * it is chunked and whatever the number of threads. In flight are `3 * threads` blocks and one for each open call, a
 * block being 1 MiB with gzip, 2 MiB with zstd, and packed about half of it more.
 *
 * gzip is one member, as every reader expects it: an encoder of ours, since no zlib gives the same bytes everywhere.
 * zstd is a frame for every block, which all readers of registries string together.
 *
 * @throws {MirrorError} SOURCE_UNSUPPORTED for zstd where its library does not load
 */
export function createLayerCompressor(
  method: LayerCompression,
  options: LayerCompressorOptions = {},
): LayerCompressor {
  if (method === 'none') return {mediaType: mediaTypes.ociLayer, compress: passThrough, close: async () => {}}
  if (method === 'zstd') loadZstd()
  const {mediaType, frame} = formats[method]
  const threads = Math.max(1, options.threads ?? Math.min(mostThreads, availableParallelism()))
  const pool = new BlockPool(method, threads)
  const budget = new BlockBudget(blocksPerThread * threads)
  return {
    mediaType,
    compress: (plain, call) => frame(packedBlocks(plain, {pool, budget, signal: call?.signal})),
    close: () => pool.close(),
  }
}

async function* zstdFrames(blocks: AsyncIterable<PackedBlock>): Bytes {
  for await (const {bytes} of blocks) yield bytes
}

const formats = {
  gzip: {mediaType: mediaTypes.ociLayerGzip, frame: gzipMember},
  zstd: {mediaType: mediaTypes.ociLayerZstd, frame: zstdFrames},
} as const
