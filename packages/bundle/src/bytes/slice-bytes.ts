import type {ByteSource} from './byte-source.js'
import {endsBefore} from './file-bytes.js'

/**
 * Returns a range of another source as a source of its own, without a copy. Its `usage` stays zero because `source`
 * counts it. Disposing it does nothing.
 */
export function sliceBytes(
  source: ByteSource,
  range: {readonly offset: number; readonly length: number; readonly name: string},
): ByteSource {
  const {offset: start, length: size, name} = range
  return {
    name,
    access: source.access,
    usage: {decoded: 0, scratchPeak: 0},
    read: async (offset, length, options) =>
      offset >= size
        ? new Uint8Array()
        : source.read(start + offset, Math.min(length, size - offset), options),
    async *stream(offset, length, options) {
      if (offset + length > size) throw endsBefore(name, {size, wanted: offset + length})
      yield* source.stream(start + offset, length, options)
    },
    hold: (offset) => source.hold(start + offset),
    size: async () => size,
    [Symbol.asyncDispose]: async () => {},
  }
}
