import {Zstd} from '@hpcc-js/wasm-zstd'

/** libzstd in WebAssembly. Addresses are valid until freed; `memory` only until the next call, which may enlarge it. */
export interface WasmZstd {
  readonly memory: () => Uint8Array
  readonly library: Library
  readonly stream: Stream
}

interface Library {
  malloc(size: number): number
  compressBound(size: number): number
  /** Makes one frame with its content size, without a checksum. @returns its length, or an error */
  compress(to: number, room: number, from: number, size: number, level: number): number
  isError(code: number): number
  getErrorName(code: number): string
}

interface Stream {
  reset(): void
  /** @returns the bytes written. Errors, and input that is left over for lack of room, are not reported. */
  decompressChunk(to: number, room: number, from: number, size: number): number
}

/** The package's own functions copy byte by byte, at a twentieth of the speed, and have no errors of a stream. */
interface Inside {
  readonly ['_mainModule']: {readonly ['_module']: {readonly HEAPU8: Uint8Array}}
  readonly ['_zstdClass']: Library & (new () => Stream)
}

/**
 * Loads an instance of libzstd. Its version is pinned in package.json, because another libzstd would give layers other
 * digests. It gives the same bytes on every machine.
 */
export async function loadWasmZstd(): Promise<WasmZstd> {
  const {_mainModule: main, _zstdClass: library} = (await Zstd.load()) as unknown as Inside
  const {_module: instance} = main
  return {
    // Read anew each time, because memory that grows is replaced.
    memory: () => instance.HEAPU8,
    library,
    stream: new library(),
  }
}
