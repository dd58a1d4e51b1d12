import {EndOfInput} from '../end-of-input.js'

/** The bits of a stream that comes in pieces, the highest of each byte first. */
export class BitReader {
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  #bits = 0
  #held = 0

  /** Bytes that have not been read yet, without those held as bits. */
  get available(): number {
    return this.#bytes.length - this.#at
  }

  /** True if nothing but the rest of a byte is left. */
  get isEmpty(): boolean {
    return this.available === 0 && this.#held < 8
  }

  add(bytes: Uint8Array): void {
    const rest = this.#bytes.subarray(this.#at)
    const joined = new Uint8Array(rest.length + bytes.length)
    joined.set(rest)
    joined.set(bytes, rest.length)
    this.#bytes = joined
    this.#at = 0
  }

  /** Returns the next `count` bits, at most 24, without taking them; zeros follow the last byte. */
  peek(count: number): number {
    while (this.#held < count) {
      this.#bits = ((this.#bits << 8) | (this.#bytes[this.#at] ?? 0)) >>> 0
      this.#at += 1
      this.#held += 8
    }
    return (this.#bits >>> (this.#held - count)) & ((1 << count) - 1)
  }

  /** @throws {EndOfInput} if fewer bits are left */
  skip(count: number): void {
    this.#held -= count
    if (this.#at - Math.floor(this.#held / 8) > this.#bytes.length) throw new EndOfInput()
  }

  take(count: number): number {
    const value = this.peek(count)
    this.skip(count)
    return value
  }

  /** @throws {EndOfInput} */
  take32(): number {
    return ((this.take(16) << 16) | this.take(16)) >>> 0
  }

  alignToByte(): void {
    this.#held -= this.#held % 8
  }
}
