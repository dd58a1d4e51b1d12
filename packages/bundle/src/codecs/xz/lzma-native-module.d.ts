/** What is used of lzma-native, which brings no types. */
declare module 'lzma-native' {
  import type {Transform} from 'node:stream'

  interface LzmaStream extends Transform {
    /** Frees the native decoder. */
    cleanup(): void
  }

  const lzma: {
    /** Decoder flag: go on with the next stream, over padding, where one ends. */
    readonly CONCATENATED: number
    createStream(coder: 'streamDecoder', options: Readonly<Record<string, number>>): LzmaStream
  }
  export default lzma
}
