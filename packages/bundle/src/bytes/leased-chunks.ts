import type {Bytes} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from './abortable.js'
import type {BlockLease} from './block-lease.js'

/** Small enough to make and drop quickly, large enough to cost nothing per byte. */
const CHUNK_BYTES = 256 * 1024
/** The milliseconds that a consumer may take for a chunk before it loses a shared block. */
const PATIENCE = 1000

export interface LeasedChunksOptions {
  readonly from: number
  readonly to: number
  readonly signal: AbortSignal | undefined
  /** The consumer is done with a chunk before it asks for the next. */
  readonly reuseChunks: boolean
  /** True: a slow consumer loses the block, so that it does not keep others from the cache's memory. */
  readonly isShared: boolean
}

/** Yields a range of a leased block, or less if the lease is released meanwhile. */
export async function* leasedChunks(
  lease: BlockLease,
  {from, to, signal, reuseChunks, isShared}: LeasedChunksOptions,
): Bytes {
  for (let at = from; at < to && !lease.isReleased;) {
    throwIfAborted(signal)
    const start = at
    at = Math.min(to, at + CHUNK_BYTES)
    const chunk = lease.bytes.subarray(start, at)
    const patience = isShared ? setTimeout(() => lease.release(), PATIENCE).unref() : undefined
    try {
      // The block's buffer is used again, so a consumer that keeps the chunk, or may lose the block, gets a copy.
      yield reuseChunks && !isShared ? chunk : chunk.slice()
    } finally {
      clearTimeout(patience)
    }
  }
}
