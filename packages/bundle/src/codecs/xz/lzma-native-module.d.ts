/** The used part of lzma-native, which has no types. */
declare module 'lzma-native' {
  import type {Transform} from 'node:stream'

  interface LzmaStream extends Transform {
    /** Frees the native decoder. */
    cleanup(): void
  }

  /** The native stream below the JavaScript class. */
  export interface NativeStream {
    bufferHandler: (
      chunk: Uint8Array | null | undefined,
      processed: number | undefined,
      error: unknown,
    ) => void
    easyEncoder(options: Readonly<Record<string, number>>): void
    code(input: Uint8Array | undefined, inBackground: boolean): void
    resetUnderlying(): void
  }

  const lzma: {
    readonly CHECK_CRC32: number
    readonly Stream: new () => NativeStream
    /** Decoder flag: after a stream, go on with the next stream, over padding. */
    readonly CONCATENATED: number
    createStream(coder: 'streamDecoder', options: Readonly<Record<string, number>>): LzmaStream
  }
  export default lzma
}
