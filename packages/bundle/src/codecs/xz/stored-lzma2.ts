/** The largest chunk that LZMA2 stores. */
const CHUNK_BYTES = 64 * 1024
const HEADER_BYTES = 3
/** Control bytes: stored, with and without a reset of the dictionary, and the end (liblzma's lzma2_decoder.c). */
const FIRST = 1
const NEXT = 2
const END = 0

/**
 * Turns the first `length` bytes of a buffer into LZMA2 data that holds them uncompressed. In place, because a copy of
 * each block would double the memory. The buffer needs room for three bytes a chunk of 64 KiB and one more.
 */
export function storeAsLzma2(buffer: ArrayBuffer, length: number): Uint8Array<ArrayBuffer> {
  const chunks = Math.ceil(length / CHUNK_BYTES)
  const bytes = Buffer.from(buffer, 0, length + chunks * HEADER_BYTES + 1)
  // From the last chunk, because each moves towards the end.
  for (let chunk = chunks - 1; chunk >= 0; chunk -= 1) {
    const from = chunk * CHUNK_BYTES
    const to = Math.min(length, from + CHUNK_BYTES)
    const at = from + chunk * HEADER_BYTES
    bytes.copyWithin(at + HEADER_BYTES, from, to)
    bytes[at] = chunk === 0 ? FIRST : NEXT
    bytes.writeUInt16BE(to - from - 1, at + 1)
  }
  bytes[bytes.length - 1] = END
  return bytes
}
