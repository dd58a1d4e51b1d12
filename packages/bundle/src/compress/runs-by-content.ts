import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {BlockPool} from './block-pool.js'
import {createSampler, SAMPLED_BYTES} from './sample.js'

/** Bytes of one kind: worth compressing, or to be stored. */
export interface Run {
  /** A block of the pool, filled up to `length`. */
  readonly block: Uint8Array<ArrayBuffer>
  readonly length: number
  readonly isStored: boolean
}

/**
 * Cuts a stream at pieces of `SAMPLED_BYTES`, no matter its chunks; neighbours of one kind become a run of at most a
 * block.
 */
export async function* runsByContent(plain: Bytes, pool: BlockPool): AsyncGenerator<Run, void, undefined> {
  const isWorth = createSampler()
  let block = pool.lease()
  let filled = 0
  let isStored = false
  let piece = 0

  /** Judges the piece read after `filled`. @returns the finished run if the piece does not belong to it */
  const addPiece = (): Run | undefined => {
    const added = block.subarray(filled, filled + piece)
    const storeIt = !isWorth(added)
    const isOther = filled > 0 && storeIt !== isStored
    const done = isOther ? {block, length: filled, isStored} : undefined
    if (isOther) {
      const next = pool.lease()
      next.set(added)
      block = next
      filled = 0
    }
    isStored = storeIt
    filled += piece
    piece = 0
    return done
  }

  for await (const chunk of plain) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + SAMPLED_BYTES - piece)
      block.set(part, filled + piece)
      piece += part.length
      at += part.length
      if (piece < SAMPLED_BYTES) continue
      const done = addPiece()
      if (done !== undefined) yield done
      if (filled < block.length) continue
      yield {block, length: filled, isStored}
      block = pool.lease()
      filled = 0
    }
  }
  const done = piece > 0 ? addPiece() : undefined
  if (done !== undefined) yield done
  if (filled > 0) yield {block, length: filled, isStored}
}
