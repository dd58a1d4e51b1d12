import {loadWasmZstd} from '../../codecs/zstd/wasm-zstd.js'
import {createXxh64, hashedBytes} from './xxh64.js'

/** Level 3 is zstd's default. */
const LEVEL = 3
const DESCRIPTOR_AT = 4
const HAS_CHECKSUM = 4
const CHECKSUM_BYTES = 4

/**
 * Returns a function that packs up to 2 MiB into a frame with its content size and checksum. The result is valid until
 * the next call.
 */
export async function createZstdFrame(): Promise<(plain: Uint8Array) => Uint8Array> {
  const {memory, library} = await loadWasmZstd()
  const hash = createXxh64()
  const room = library.compressBound(hashedBytes)
  const from = library.malloc(hashedBytes)
  const to = library.malloc(room + CHECKSUM_BYTES)
  if (from === 0 || to === 0) throw new Error('no memory for the zstd encoder')
  return (plain) => {
    memory().set(plain, from)
    const size = library.compress(to, room, from, plain.length, LEVEL)
    if (library.isError(size) !== 0) throw new Error(library.getErrorName(size))
    const bytes = memory()
    const frame = Buffer.from(bytes.buffer, bytes.byteOffset + to, size + CHECKSUM_BYTES)
    // The library's function for whole frames leaves out the checksum (RFC 8878, 3.1.1).
    frame.writeUInt8(frame.readUInt8(DESCRIPTOR_AT) | HAS_CHECKSUM, DESCRIPTOR_AT)
    frame.writeUInt32LE(hash(plain), size)
    return frame
  }
}
