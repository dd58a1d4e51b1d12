import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'

const WINDOW_BYTES = 16 * 1024

export interface AscendingReadOptions extends ReadOptions {
  /** The first bytes of the source, if they were read before. */
  readonly head?: Uint8Array
}

/**
 * Returns a function for small reads in ascending order, which keeps the bytes of the last read. On a file each read fetches a
 * window, because many headers lie close together. Other sources are asked exactly for the missing bytes, so that no further
 * block is decoded. Bytes that were read last are never asked for again: they would cost another pass of an in-order source.
 */
export function ascendingReader(
  source: ByteSource,
  {head = new Uint8Array(), ...options}: AscendingReadOptions,
): (offset: number, length: number) => Promise<Uint8Array> {
  const least = source.access === 'random' ? WINDOW_BYTES : 0
  let start = 0
  let window = head
  return async (offset, length) => {
    const end = start + window.length
    if (offset < start || offset + length > end) {
      const kept = offset >= start && offset < end ? window.subarray(offset - start) : new Uint8Array()
      const rest = await source.read(offset + kept.length, Math.max(length - kept.length, least), options)
      window = kept.length === 0 ? rest : Buffer.concat([kept, rest])
      start = offset
    }
    return window.subarray(offset - start, offset - start + length)
  }
}
