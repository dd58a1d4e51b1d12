/**
 * Small reads are a walk over headers. If it seldom leaps over a block, the next block is decoded ahead of it. A guess in
 * five may be wrong; a wrong guess is stopped.
 */
const STEPS_PER_LEAP = 4

/** Larger blocks are rare, so nothing is gained by room for others. */
const MOST_ROUNDED_BYTES = 64 * 1024 * 1024

/** The figures by which a source of blocks decides. */
export interface BlockFacts {
  /** Plain bytes of the whole source. */
  readonly size: number
  /** Bytes that the cache may hold. */
  readonly budget: number
  /** The cache would keep `kept` of the `plain` bytes that were looked at. It keeps nothing of a stored chunk. */
  readonly plain: number
  readonly kept: number
}

export interface Walk {
  /** The number of times that the walk took the next block, and that it went further. */
  readonly steps: number
  readonly leaps: number
  /** False if no content is read after the walk: nothing is decoded for later. */
  readonly contentFollows: boolean
}

/** Returns true if the cache can keep the coded bytes of all blocks, estimated from the blocks seen so far. */
export function keepsAll({size, budget, plain, kept}: BlockFacts): boolean {
  return plain > 0 && (kept / plain) * size <= budget
}

/**
 * Returns how a block with stored chunks is read: decoded whole, or put together from its coded chunks and the file. In
 * pieces for small reads, or if the cache keeps all coded bytes: otherwise they would be decoded again for each stream.
 */
export function howToRead(facts: BlockFacts, {isSmall}: {readonly isSmall: boolean}): 'whole' | 'pieces' {
  return isSmall || keepsAll(facts) ? 'pieces' : 'whole'
}

/** Returns the blocks to decode ahead of a walk of small reads: all that come, the next, or none. */
export function aheadOfWalk(
  facts: BlockFacts,
  {steps, leaps, contentFollows}: Walk,
): 'all' | 'next' | 'none' {
  if (contentFollows && keepsAll(facts)) return 'all'
  return leaps * STEPS_PER_LEAP > steps ? 'none' : 'next'
}

/** Returns the form in which a block is decoded in advance of a stream: small parts are proven by their readers alone. */
export function howToPrefetch(
  facts: BlockFacts,
  reading: {readonly isSmall: boolean; readonly unproven: boolean},
): 'whole' | 'pieces' {
  return reading.unproven ? howToRead(facts, reading) : 'whole'
}

/** Returns the size of a buffer for a block: a power of two fits most later blocks. Pages that no block reaches take no memory. */
export function bufferBytes(blockSize: number): number {
  return blockSize > MOST_ROUNDED_BYTES ? blockSize : 2 ** Math.ceil(Math.log2(blockSize))
}
