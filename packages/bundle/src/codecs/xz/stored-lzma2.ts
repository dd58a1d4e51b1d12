/** The largest chunk that LZMA2 stores. */
const CHUNK_BYTES = 64 * 1024
const HEADER_BYTES = 3
/** Control bytes: stored, with and without a reset of the dictionary, and the end (liblzma's lzma2_decoder.c). */
const FIRST = 1
const NEXT = 2
const END = 0

/** Returns LZMA2 data that holds the bytes uncompressed. */
export function storedLzma2(plain: Uint8Array): Uint8Array {
  const chunks = Math.ceil(plain.length / CHUNK_BYTES)
  const bytes = Buffer.allocUnsafe(plain.length + chunks * HEADER_BYTES + 1)
  let at = 0
  for (let from = 0; from < plain.length; from += CHUNK_BYTES) {
    const chunk = plain.subarray(from, from + CHUNK_BYTES)
    bytes[at] = from === 0 ? FIRST : NEXT
    bytes.writeUInt16BE(chunk.length - 1, at + 1)
    bytes.set(chunk, at + HEADER_BYTES)
    at += HEADER_BYTES + chunk.length
  }
  bytes[at] = END
  return bytes
}
