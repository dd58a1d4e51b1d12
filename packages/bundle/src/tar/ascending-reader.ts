import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'

const WINDOW_BYTES = 16 * 1024

/**
 * Returns a function for small reads in ascending order. On a file each read fetches a window, because many headers lie
 * close together. Other sources return exactly the requested bytes, so that no further block is decoded and no pass begun
 * in vain.
 */
export function ascendingReader(
  source: ByteSource,
  options: ReadOptions,
): (offset: number, length: number) => Promise<Uint8Array> {
  if (source.access !== 'random') return async (offset, length) => source.read(offset, length, options)
  let start = 0
  let window: Uint8Array = new Uint8Array()
  return async (offset, length) => {
    if (offset < start || offset + length > start + window.length) {
      window = await source.read(offset, Math.max(length, WINDOW_BYTES), options)
      start = offset
    }
    return window.subarray(offset - start, offset - start + length)
  }
}
