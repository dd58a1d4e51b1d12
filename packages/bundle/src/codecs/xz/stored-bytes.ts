import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {ByteSource, ReadOptions} from '../../bytes/byte-source.js'
import {giveBack, takeBuffer} from '../../bytes/chunk-buffers.js'
import {partAt, partEnd, type ChunkMap} from './chunk-map.js'

export interface StoredRange {
  readonly packed: ByteSource
  /** The offset of the block in `packed`. */
  readonly start: number
  /** In plain bytes of the block; all of them are in stored parts. */
  readonly from: number
  readonly to: number
}

/**
 * Streams stored bytes of a block straight from the file. The headers between the chunks are left out by a copy: it costs
 * less than a write of each chunk by itself.
 * @throws the errors of reading
 */
export async function* storedBytes(
  map: ChunkMap,
  {packed, start, from, to}: StoredRange,
  {signal, reuseChunks = false}: ReadOptions,
): Bytes {
  let part = partAt(map, from)
  let at = from
  let position = storedAt(map, part, from)
  const end = storedAt(map, partAt(map, to - 1), to)
  let used: Buffer | undefined
  let isIdle = false
  try {
    for await (const bytes of packed.stream(start + position, end - position, {signal, reuseChunks: true})) {
      if (reuseChunks && (used?.length ?? 0) < bytes.length) {
        giveBack(used, {isIdle: true})
        used = takeBuffer(bytes.length)
      }
      const plain = used ?? Buffer.allocUnsafeSlow(bytes.length)
      let filled = 0
      while (at < to) {
        const skipped = storedAt(map, part, at) - position
        if (skipped >= bytes.length) break
        const length = Math.min(bytes.length - skipped, Math.min(to, partEnd(map, part)) - at)
        plain.set(bytes.subarray(skipped, skipped + length), filled)
        filled += length
        at += length
        if (at === partEnd(map, part)) part += 1
      }
      position += bytes.length
      if (filled > 0) yield plain.subarray(0, filled)
    }
    isIdle = true
  } finally {
    giveBack(used, {isIdle})
  }
}

/** Returns the offset in the block of the plain byte at `offset`, which is in a stored part. */
function storedAt(map: ChunkMap, part: number, offset: number): number {
  return (map.storedAt[part] ?? 0) + offset - (map.plainStarts[part] ?? 0)
}
