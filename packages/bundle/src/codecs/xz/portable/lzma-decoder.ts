import {kernelCode} from './kernel-code.js'

/** LZMA2 chunks hold no more than this. */
const CHUNK_BYTES = 2 * 1024 * 1024

/** Errors of `decode` in `assembly/lzma-kernel.ts`, by their number. */
const ERRORS = [
  '',
  'a chunk does not begin like one',
  'a match lies before the start',
  'a match reaches over its chunk',
  'a chunk does not end where it should',
]

interface Exports {
  readonly memory: {readonly buffer: ArrayBuffer}
  readonly INPUT: {readonly value: number}
  readonly WINDOW: {readonly value: number}
  readonly init: (bytes: number) => number
  readonly end: () => number
  readonly resetDictionary: () => void
  readonly setProperties: (lc: number, lp: number, pb: number) => void
  readonly resetState: (literalBits: number) => void
  readonly storeChunk: (bytes: number) => void
  readonly addToChecksum: (bytes: number) => void
  readonly checksumLow: () => number
  readonly checksumHigh: () => number
  readonly decode: (packedBytes: number, plainBytes: number) => number
}

let compiled: WebAssembly.Module | undefined

/** Decodes the chunks of LZMA2 into a window of the bytes before them, in WebAssembly. */
export class LzmaDecoder {
  readonly #kernel: Exports
  readonly #size: number
  #literalBits = 0

  /** @throws {Error} if there is no memory for the dictionary */
  constructor(dictionaryBytes: number) {
    compiled ??= new WebAssembly.Module(Buffer.from(kernelCode, 'base64'))
    this.#kernel = new WebAssembly.Instance(compiled).exports as unknown as Exports
    this.#size = Math.max(dictionaryBytes, 2 * CHUNK_BYTES)
    if (this.#kernel.init(this.#size) === 0) throw new Error('there is not enough memory for the dictionary')
  }

  resetDictionary(): void {
    this.#kernel.resetDictionary()
  }

  /** @throws {Error} if LZMA2 does not allow the byte */
  setProperties(byte: number): void {
    if (byte > 4 * 45 + 44) throw new Error('the properties of a chunk are wrong')
    const lc = byte % 9
    const rest = Math.floor(byte / 9)
    const lp = rest % 5
    if (lc + lp > 4) throw new Error('the properties of a chunk are wrong')
    this.#literalBits = lc + lp
    this.#kernel.setProperties(lc, lp, Math.floor(rest / 5))
  }

  resetState(): void {
    this.#kernel.resetState(this.#literalBits)
  }

  /** Takes a chunk that is stored as it is. */
  store(bytes: Uint8Array): void {
    this.#take(bytes)
    this.#kernel.storeChunk(bytes.length)
  }

  /** Decodes a chunk. @throws {Error} if it is damaged */
  decode(packed: Uint8Array, plainBytes: number): void {
    this.#take(packed)
    const error = this.#kernel.decode(packed.length, plainBytes)
    if (error !== 0) throw new Error(ERRORS[error])
  }

  /** A copy of the last `length` bytes, of one chunk at most. */
  last(length: number): Uint8Array {
    const window = new Uint8Array(this.#kernel.memory.buffer, this.#kernel.WINDOW.value, this.#size)
    const start = (this.#kernel.end() - length + this.#size) % this.#size
    if (start + length <= this.#size) return window.slice(start, start + length)
    const bytes = new Uint8Array(length)
    bytes.set(window.subarray(start))
    bytes.set(window.subarray(0, length - (this.#size - start)), this.#size - start)
    return bytes
  }

  /** Takes the last `length` bytes, of one chunk at most, into the CRC-64 of all. */
  addToChecksum(length: number): void {
    this.#kernel.addToChecksum(length)
  }

  /** The CRC-64 in two halves, the lower one first. */
  get checksum(): readonly [number, number] {
    return [this.#kernel.checksumLow() >>> 0, this.#kernel.checksumHigh() >>> 0]
  }

  #take(bytes: Uint8Array): void {
    new Uint8Array(this.#kernel.memory.buffer, this.#kernel.INPUT.value, bytes.length).set(bytes)
  }
}
