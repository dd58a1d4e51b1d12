/** The most plain bytes of one call of an encoder, so that an abort need not wait for a whole block. */
const INPUT_BYTES = 1024 * 1024
/** The bytes in which the encoded data of a block may be longer than its plain bytes, with some in reserve. */
const SPARE_BYTES = 4096

/** Returns the size of a buffer in which `length` bytes can be encoded in place, even if they do not shrink. */
export function inPlaceBytes(length: number): number {
  return length + (length >>> 6) + SPARE_BYTES
}

/**
 * A block of which the encoded bytes take the place of the plain bytes, because a second buffer of each thread would cost as
 * much memory again. The plain bytes move to the end of the buffer. An encoder copies them before it returns anything.
 */
export class InPlace {
  readonly #bytes: Uint8Array<ArrayBuffer>
  #read: number
  #written = 0

  /** @param buffer has `inPlaceBytes(length)` bytes at least, of which the first `length` are plain */
  constructor(buffer: ArrayBuffer, length: number) {
    this.#bytes = new Uint8Array(buffer)
    this.#read = buffer.byteLength - length
    this.#bytes.copyWithin(this.#read, 0, length)
  }

  /** The next plain bytes for the encoder. */
  get input(): Buffer {
    const length = Math.min(INPUT_BYTES, this.#bytes.length - this.#read)
    return Buffer.from(this.#bytes.buffer, this.#read, length)
  }

  /** True if `input` goes to the end of the plain bytes. */
  get isLast(): boolean {
    return this.#bytes.length - this.#read <= INPUT_BYTES
  }

  get encoded(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#written)
  }

  /** Says that the encoder has copied `length` bytes of `input`. */
  took(length: number): void {
    this.#read += length
  }

  append(bytes: Uint8Array): void {
    if (this.#written + bytes.length > this.#read) throw new Error('the xz encoder wrote more than it read')
    this.#bytes.set(bytes, this.#written)
    this.#written += bytes.length
  }
}
