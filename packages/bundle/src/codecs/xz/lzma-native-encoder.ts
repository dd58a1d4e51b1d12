import {XZ_PRESET, type EncodeStream} from './xz-preset.js'

/** Loads lzma-native's encoder: available on more platforms than node-liblzma's, and half as fast. */
export async function loadLzmaNativeEncoder(): Promise<EncodeStream> {
  const {default: lzma} = await import('lzma-native')
  return (plain) => {
    const chunks: Uint8Array[] = []
    let failure: unknown
    const encoder = new lzma.Stream()
    encoder.easyEncoder({preset: XZ_PRESET, check: lzma.CHECK_CRC32})
    encoder.bufferHandler = (chunk, _processed, error) => {
      failure ??= error
      if (chunk != null) chunks.push(chunk)
    }
    try {
      // Synchronous, because this runs on a thread of its own.
      encoder.code(plain, false)
      encoder.code(undefined, false)
    } finally {
      encoder.resetUnderlying()
    }
    if (failure != null) throw failure
    return Buffer.concat(chunks)
  }
}
