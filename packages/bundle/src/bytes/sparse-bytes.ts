import type {Bytes} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from './abortable.js'
import type {ByteSource, ReadOptions} from './byte-source.js'
import {endsBefore} from './file-bytes.js'

/** A stored part: its offset in the file, and the offset of its bytes in the source below. */
export interface StoredPart {
  readonly at: number
  readonly offset: number
  readonly length: number
}

export interface SparseFile {
  readonly name: string
  readonly size: number
  /** Ascending, without overlap. */
  readonly parts: readonly StoredPart[]
}

const CHUNK_BYTES = 256 * 1024

/** Returns a file that is stored without its holes, as a source with zeros in their places. Disposing it does nothing. */
export function sparseBytes(source: ByteSource, {name, size, parts}: SparseFile): ByteSource {
  async function* stream(offset: number, length: number, options?: ReadOptions): Bytes {
    const end = offset + length
    if (end > size) throw endsBefore(name, {size, wanted: end})
    let at = offset
    for (const part of parts.slice(firstEndingAfter(parts, offset))) {
      if (part.at >= end) break
      yield* zeros(part.at - at, options)
      at = Math.max(at, part.at)
      const upTo = Math.min(end, part.at + part.length)
      yield* source.stream(part.offset + at - part.at, upTo - at, options)
      at = upTo
    }
    yield* zeros(end - at, options)
  }
  return {
    name,
    access: source.access,
    usage: {decoded: 0, scratchPeak: 0},
    read: async (offset, length, options) => {
      const chunks: Uint8Array[] = []
      const available = Math.min(length, size - offset)
      if (available > 0)
        for await (const chunk of stream(offset, available, {...options, reuseChunks: false}))
          chunks.push(chunk)
      return Buffer.concat(chunks)
    },
    stream,
    hold: (offset) => {
      const part = parts[firstEndingAfter(parts, offset)]
      return part === undefined ? () => {} : source.hold(part.offset + Math.max(0, offset - part.at))
    },
    size: async () => size,
    [Symbol.asyncDispose]: async () => {},
  }
}

function* zeros(length: number, {signal}: ReadOptions = {}): Generator<Uint8Array, void, undefined> {
  for (let left = length; left > 0; left -= CHUNK_BYTES) {
    throwIfAborted(signal)
    yield new Uint8Array(Math.min(left, CHUNK_BYTES))
  }
}

function firstEndingAfter(parts: readonly StoredPart[], offset: number): number {
  let low = 0
  let high = parts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const part = parts[middle]
    if (part !== undefined && part.at + part.length <= offset) low = middle + 1
    else high = middle
  }
  return low
}
