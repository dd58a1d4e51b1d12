import type {NativeStream} from 'lzma-native'
import {throwIfAborted} from '../../bytes/abortable.js'
import {XZ_PRESET, type EncodeStream, type EncodingThread} from './xz-preset.js'

/** Loads lzma-native's encoder: available on more platforms than node-liblzma's, and half as fast. */
export async function loadLzmaNativeEncoder(thread: EncodingThread): Promise<EncodeStream> {
  const {default: lzma} = await import('lzma-native')
  return async (block, {signal} = {}) => {
    const encoder = new lzma.Stream()
    encoder.easyEncoder({preset: XZ_PRESET, check: lzma.CHECK_CRC32})
    const append = (chunk: Uint8Array): void => block.append(chunk)
    try {
      for (let isLast = false; !isLast;) {
        throwIfAborted(signal)
        const {input} = block
        isLast = block.isLast
        block.took(input.length)
        await code(encoder, {thread, input, append})
      }
      await code(encoder, {thread, append})
      return block.encoded
    } finally {
      encoder.resetUnderlying()
    }
  }
}

interface Call {
  readonly thread: EncodingThread
  /** Absent: the end. */
  readonly input?: Uint8Array
  readonly append: (chunk: Uint8Array) => void
}

/** The library copies the input at the call itself. */
function code(encoder: NativeStream, {thread, input, append}: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    encoder.bufferHandler = (chunk, processed, error) => {
      try {
        if (error != null) reject(error)
        if (chunk != null) append(chunk)
        if (processed !== undefined) resolve()
      } catch (thrown) {
        reject(thrown)
      }
    }
    encoder.code(input, thread === 'pool')
  })
}
