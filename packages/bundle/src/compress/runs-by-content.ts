import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {BlockBuffers} from './block-buffers.js'
import {createSampler, SAMPLED_BYTES} from './sample.js'

/** Bytes of one kind: worth compressing, or to be stored. */
export interface Run {
  /** A leased block, filled up to `length`. */
  readonly block: Uint8Array<ArrayBuffer>
  readonly length: number
  readonly isStored: boolean
}

/**
 * Cuts a stream at pieces of `SAMPLED_BYTES`, no matter its chunks; neighbours of one kind become a run of at most a
 * block. No block is leased before the run before it has been taken.
 */
export async function* runsByContent(
  plain: Bytes,
  buffers: BlockBuffers,
): AsyncGenerator<Run, void, undefined> {
  const isWorth = createSampler()
  let run: Run | undefined
  for await (const piece of pieces(plain)) {
    const isStored = !isWorth(piece)
    if (run !== undefined && run.isStored !== isStored) {
      yield run
      run = undefined
    }
    const {block, length} = run ?? {block: buffers.lease(), length: 0}
    block.set(piece, length)
    run = {block, length: length + piece.length, isStored}
    if (run.length < block.length) continue
    yield run
    run = undefined
  }
  if (run !== undefined) yield run
}

/** Yields pieces of `SAMPLED_BYTES`, the last of them shorter; each is valid until the next is asked for. */
async function* pieces(plain: Bytes): Bytes {
  const piece = new Uint8Array(SAMPLED_BYTES)
  let filled = 0
  for await (const chunk of plain) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + SAMPLED_BYTES - filled)
      piece.set(part, filled)
      filled += part.length
      at += part.length
      if (filled < SAMPLED_BYTES) continue
      yield piece
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}
