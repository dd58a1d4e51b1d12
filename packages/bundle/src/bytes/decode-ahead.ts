import type {BlockCache} from './block-cache.js'
import type {SparseBlock} from './sparse-block.js'

export interface DecodeAheadOptions {
  readonly cache: BlockCache
  /** Asked before each block. */
  readonly isWanted: () => boolean
  readonly signal: AbortSignal
}

/**
 * Decodes the coded bytes of blocks into the cache, in order and as many at once as the cache allows. Never rejects: the
 * reader of a block gets its error.
 */
export async function decodeAhead(
  blocks: readonly {readonly sparse?: SparseBlock}[],
  {cache, isWanted, signal}: DecodeAheadOptions,
): Promise<void> {
  let next = 0
  const decodeOthers = async (): Promise<void> => {
    while (next < blocks.length && !signal.aborted && isWanted()) {
      const sparse = blocks[next++]?.sparse
      const layout = await sparse?.layout({signal}).catch(() => undefined)
      if (sparse === undefined || layout === undefined || sparse.coded.size === 0) continue
      const lease = await cache.acquire(sparse.coded, {signal}).catch(() => undefined)
      lease?.release()
    }
  }
  await Promise.all(Array.from({length: cache.threads}, decodeOthers))
}
