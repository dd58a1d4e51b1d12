import type {BlockCache} from './block-cache.js'
import type {IdlePasses} from './idle-passes.js'

/**
 * Shared by the archives inside one source: their blocks are in one cache, so that memory does not grow with the number
 * of archives. A deeper level has its own cache, because decoding there waits for blocks of the level above.
 */
export interface Level {
  readonly depth: number
  readonly budget: number
  readonly cache: BlockCache
  readonly idle: IdlePasses
  below?: Level
}
