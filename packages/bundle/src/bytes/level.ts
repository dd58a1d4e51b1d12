import type {BlockCache} from './block-cache.js'
import type {IdlePasses} from './idle-passes.js'

/**
 * Shared by the archives inside one source: blocks of all of them are in one cache, so that memory does not grow with their
 * number. A level deeper has a cache of its own, since decoding there waits for blocks of the level above.
 */
export interface Level {
  readonly depth: number
  readonly budget: number
  readonly cache: BlockCache
  readonly idle: IdlePasses
  below?: Level
}
