import {XZ_PRESET, type EncodeStream} from './xz-preset.js'

/** lzma-native copies its whole input before it encodes. */
const INPUT_BYTES = 256 * 1024

/** Loads lzma-native's encoder: available on more platforms than node-liblzma's, and half as fast. */
export async function loadLzmaNativeEncoder(): Promise<EncodeStream> {
  const {default: lzma} = await import('lzma-native')
  return (block) => {
    let failure: unknown
    const encoder = new lzma.Stream()
    encoder.easyEncoder({preset: XZ_PRESET, check: lzma.CHECK_CRC32})
    encoder.bufferHandler = (chunk, _processed, error) => {
      failure ??= error
      if (chunk != null) block.append(chunk)
    }
    try {
      // Synchronous, because this runs on a thread of its own.
      while (block.rest.length > 0) {
        const input = block.rest.subarray(0, INPUT_BYTES)
        block.took(input.length)
        encoder.code(input, false)
      }
      encoder.code(undefined, false)
    } finally {
      encoder.resetUnderlying()
    }
    if (failure != null) throw failure
    return block.encoded
  }
}
