import {EndOfInput} from '../end-of-input.js'
import {BitReader} from './bit-reader.js'
import {decodeBlock, type BlockMemory} from './decode-block.js'

const OUTPUT_BYTES = 256 * 1024
/** The most bytes of a compressed block: 900,000 symbols of at most 20 bits, and its tables. */
const LONGEST_BLOCK = 2.5 * 1024 * 1024
const BLOCK_MAGIC = [0x314159, 0x265359] as const
const END_MAGIC = [0x177245, 0x385090] as const

/** A bzip2 decoder that is fed piece by piece, for all streams of a concatenation. */
export class Bunzip2 {
  readonly #bits = new BitReader()
  readonly #onOutput: (bytes: Uint8Array) => void
  #output = new Uint8Array(OUTPUT_BYTES)
  #filled = 0
  #memory: BlockMemory | undefined
  #blockCrc = 0
  #streamCrc = 0
  #hasBegun = false

  constructor(onOutput: (bytes: Uint8Array) => void) {
    this.#onOutput = onOutput
  }

  /** @throws {Error} if the data are damaged */
  push(input: Uint8Array): void {
    this.#bits.add(input)
    while (this.#bits.available >= LONGEST_BLOCK) this.#step()
  }

  /** @throws {EndOfInput} if the data end too early, an Error if they are damaged */
  end(): void {
    while (this.#memory !== undefined || !this.#bits.isEmpty) {
      if (this.#memory === undefined && this.#hasBegun && this.#skipZeros()) break
      this.#step()
    }
    this.#flush()
    if (!this.#hasBegun) throw new EndOfInput()
  }

  /** Reads a stream's header, a block, or the end of a stream. */
  #step(): void {
    const bits = this.#bits
    if (this.#memory === undefined) {
      const [b, z, h, level] = [bits.take(8), bits.take(8), bits.take(8), bits.take(8) - 0x30]
      if (b !== 0x42 || z !== 0x5a || h !== 0x68 || level < 1 || level > 9) {
        throw new Error(this.#hasBegun ? 'something else follows the bzip2 data' : 'the header is damaged')
      }
      this.#memory = {links: new Uint32Array(level * 100_000)}
      this.#streamCrc = 0
      this.#hasBegun = true
      return
    }
    const magic = [bits.take(24), bits.take(24)]
    if (magic[0] === BLOCK_MAGIC[0] && magic[1] === BLOCK_MAGIC[1]) return this.#block(this.#memory)
    if (magic[0] !== END_MAGIC[0] || magic[1] !== END_MAGIC[1])
      throw new Error('a block does not begin like one')
    if (bits.take32() !== this.#streamCrc) throw new Error('the checksum of the whole is wrong')
    bits.alignToByte()
    this.#memory = undefined
  }

  #block(memory: BlockMemory): void {
    this.#blockCrc = 0xffffffff
    const stated = decodeBlock(this.#bits, memory, this.#write)
    const crc = ~this.#blockCrc >>> 0
    if (crc !== stated) throw new Error('the checksum of a block is wrong')
    this.#streamCrc = (((this.#streamCrc << 1) | (this.#streamCrc >>> 31)) ^ crc) >>> 0
  }

  readonly #write = (byte: number, count: number): void => {
    for (let left = count; left > 0; left -= 1) {
      this.#blockCrc =
        ((this.#blockCrc << 8) ^ (CRC_TABLE[((this.#blockCrc >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0
      this.#output[this.#filled] = byte
      this.#filled += 1
      if (this.#filled === OUTPUT_BYTES) this.#flush()
    }
  }

  #flush(): void {
    if (this.#filled === 0) return
    this.#onOutput(this.#output.subarray(0, this.#filled))
    this.#output = new Uint8Array(OUTPUT_BYTES)
    this.#filled = 0
  }

  /** Returns true if only zeros are left, as tapes pad with them. */
  #skipZeros(): boolean {
    while (!this.#bits.isEmpty) {
      if (this.#bits.peek(8) !== 0) return false
      this.#bits.skip(8)
    }
    return true
  }
}

/** CRC-32 with the polynomial of gzip, but the highest bit first. */
const CRC_TABLE = Uint32Array.from({length: 256}, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit += 1) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  return crc >>> 0
})
