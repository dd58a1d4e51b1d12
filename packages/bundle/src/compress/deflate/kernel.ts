import {kernelCode} from './kernel-code.js'
import {distanceSymbols, literalSymbols, longestMatch, slotOfLength} from './symbols.js'

/**
 * The hot half of the encoder, in WebAssembly: 1.4 times as fast as in JavaScript. Positions are in plain bytes. The
 * functions are documented in `assembly/deflate-kernel.ts`.
 */
export interface Kernel {
  /** Room for a block, to be filled before `tokenize`. */
  readonly plain: Uint8Array
  /** The number of occurrences of each symbol in the tokens. */
  readonly literalCounts: Int32Array
  readonly distanceCounts: Int32Array
  /** The codes `writeTokens` uses, as `bits << 4 | count`. */
  readonly literalCodes: Int32Array
  readonly distanceCodes: Int32Array
  /** By match length, code and extra bits, as `bits << 5 | count`. */
  readonly lengthCodes: Int32Array
  readonly reset: () => void
  readonly tokenize: (start: number, size: number) => number
  readonly writeTokens: (start: number) => void
  readonly put: (bits: number, count: number) => void
  readonly putStored: (start: number, end: number) => void
  /** Returns all bytes written since `reset`, valid until the next `reset`. */
  readonly packed: () => Uint8Array
}

/** The most plain bytes of a kernel. */
export const kernelBytes = 1024 * 1024

interface Exports extends Pick<Kernel, 'reset' | 'tokenize' | 'writeTokens' | 'put' | 'putStored'> {
  readonly memory: {readonly buffer: ArrayBuffer}
  readonly packedLength: () => number
}

export function createKernel(): Kernel {
  const module = new WebAssembly.Module(Buffer.from(kernelCode, 'base64'))
  const {exports} = new WebAssembly.Instance(module)
  const {memory, packedLength, ...functions} = exports as unknown as Exports
  const address = (name: string): number => (exports[name] as {readonly value: number}).value
  const integers = (name: string, length: number) => new Int32Array(memory.buffer, address(name), length)
  const bytes = (name: string, length?: number) => new Uint8Array(memory.buffer, address(name), length)
  bytes('LENGTH_SLOTS', slotOfLength.length).set(slotOfLength)
  const packed = bytes('PACKED')
  return {
    ...functions,
    plain: bytes('PLAIN', kernelBytes),
    literalCounts: integers('LITERAL_COUNTS', literalSymbols),
    distanceCounts: integers('DISTANCE_COUNTS', distanceSymbols),
    literalCodes: integers('LITERAL_CODES', literalSymbols),
    distanceCodes: integers('DISTANCE_CODES', distanceSymbols),
    lengthCodes: integers('LENGTH_CODES', longestMatch + 1),
    packed: () => packed.subarray(0, packedLength()),
  }
}
