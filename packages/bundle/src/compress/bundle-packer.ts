import {availableParallelism, totalmem} from 'node:os'
import type {Bytes, CallOptions} from '@airgap-mirror/oci-client/model'
import {abortable} from '../bytes/abortable.js'
import {encodeXz, type EncodeBlock} from './encode-xz.js'
import {seekTable, type FrameSizes} from '../codecs/zstd/seek-table.js'
import {BlockBudget} from './block-budget.js'
import type {PackedBlock} from './block-packer.js'
import {BlockPool} from './block-pool.js'
import {gzipMember} from './gzip-member.js'
import {packedBlocks} from './packed-blocks.js'

/** The compression of a bundle as a whole. */
export type BundleCodec = 'plain' | 'gzip' | 'zstd' | 'xz'

export interface BundlePacker {
  /**
   * The same bytes always give the same result, on every Node version and machine, and with any number of threads. A chunk is
   * valid until the next is asked for.
   */
  pack(plain: Bytes, options?: CallOptions): Bytes
  /** Ends the threads. Open calls fail. */
  close(): Promise<void>
}

export interface BundlePackerOptions {
  /** The most blocks packed at once. Default: the number of processors, at most as many as 256 MiB allow. */
  readonly threads?: number
}

/** liblzma's encoder with a dictionary of 4 MiB takes 49 MiB, and a block 8 MiB. */
const XZ_THREAD_BYTES = 60 * 1024 * 1024
/** With two encoders a save keeps below 256 MiB. They run on libuv's pool, which has four threads, of which files need some. */
const MOST_XZ_THREADS = 2
/** Worker threads that pack: each takes up to 25 MiB with its blocks, and four pack faster than a bundle is read and hashed. */
const MOST_THREADS = 4
const BLOCKS_A_THREAD = 3

/**
 * Packs a bundle over threads that start with its first block. gzip is one member; zstd is a frame for each block and a
 * seek table; xz is independent blocks.
 */
export function createBundlePacker(codec: BundleCodec, options: BundlePackerOptions = {}): BundlePacker {
  if (codec === 'plain') return {pack: (plain) => plain, close: async () => {}}
  const threads = Math.max(1, options.threads ?? usualThreads(codec))
  if (codec === 'xz' && threads <= MOST_XZ_THREADS) {
    return {pack: (plain, call) => encodeXz(plain, {threads, signal: call?.signal}), close: async () => {}}
  }
  const pool = new BlockPool(codec, threads)
  if (codec === 'xz') {
    const encode = encoderOnWorkers(pool)
    return {
      pack: (plain, call) => encodeXz(plain, {threads, encode, signal: call?.signal}),
      close: () => pool.close(),
    }
  }
  const budget = new BlockBudget(BLOCKS_A_THREAD * threads)
  const string = codec === 'gzip' ? gzipMember : seekableFrames
  return {
    pack: (plain, call) => string(packedBlocks(plain, {pool, budget, signal: call?.signal})),
    close: () => pool.close(),
  }
}

/** Worker threads, because libuv's pool has no room for more encoders, and Node.js 20 fixes its size before it runs a program. */
function encoderOnWorkers(pool: BlockPool): EncodeBlock {
  return async (block, {length, signal}) => {
    const wanted = (): boolean => signal?.aborted !== true
    // Does not wait for a block at work: the thread ends with the pool.
    const {bytes} = await abortable(pool.pack(block, {length, wanted}), signal)
    return bytes
  }
}

/** xz gets at most an eighth of the machine's memory. */
function usualThreads(codec: BundleCodec): number {
  if (codec !== 'xz') return Math.min(MOST_THREADS, availableParallelism())
  return Math.min(MOST_XZ_THREADS, Math.floor(totalmem() / 8 / XZ_THREAD_BYTES), availableParallelism())
}

async function* seekableFrames(blocks: AsyncIterable<PackedBlock>): Bytes {
  const frames: FrameSizes[] = []
  for await (const {bytes, plainLength} of blocks) {
    frames.push({packed: bytes.length, plain: plainLength})
    yield bytes
  }
  yield seekTable(frames)
}
