import {crc32} from 'node:zlib'
import {limits} from '@airgap-mirror/oci-client/model'
import {EndOfInput} from '../../end-of-input.js'
import {dictionaryOf, isLzma2Alone} from '../block-header.js'
import {
  checkBytes,
  decodeVli,
  parseStreamFooter,
  parseStreamHeader,
  roundUp4,
  STREAM_FOOTER_BYTES,
  STREAM_HEADER_BYTES,
} from '../container.js'
import {checkOf} from './check.js'
import {LzmaDecoder} from './lzma-decoder.js'

const LONGEST_VLI = 9

/** A step of the decoder that needs this number of bytes. */
type Steps = Generator<number, void, undefined>

/** A decoder of .xz in JavaScript, fed piece by piece, all streams of a concatenation. */
export class Unxz {
  readonly #onOutput: (bytes: Uint8Array) => void
  readonly #steps: Steps
  #bytes: Buffer = Buffer.alloc(0)
  #needed: number
  #isEnded = false

  constructor(onOutput: (bytes: Uint8Array) => void) {
    this.#onOutput = onOutput
    this.#steps = this.#file()
    this.#needed = this.#steps.next().value ?? 0
  }

  /** @throws {Error} if the data are damaged */
  push(input: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, input])
    while (this.#bytes.length >= this.#needed) if (!this.#step()) return
  }

  /** @throws {EndOfInput} if the data end too early, an Error if they are damaged */
  end(): void {
    this.#isEnded = true
    while (this.#step());
  }

  #step(): boolean {
    const {done, value} = this.#steps.next()
    this.#needed = done === true ? Infinity : value
    return done !== true
  }

  #take(length: number): Buffer {
    if (this.#bytes.length < length) throw new EndOfInput()
    const taken = this.#bytes.subarray(0, length)
    this.#bytes = this.#bytes.subarray(length)
    return taken
  }

  *#file(): Steps {
    for (let streams = 0; ; streams += 1) {
      yield STREAM_HEADER_BYTES
      if (streams > 0) yield* this.#padding()
      if (streams > 0 && this.#isEnded && this.#bytes.length === 0) return
      yield* this.#stream()
    }
  }

  *#padding(): Steps {
    while (this.#bytes.length >= 4 && this.#bytes.readUInt32LE(0) === 0) {
      this.#take(4)
      yield STREAM_HEADER_BYTES
    }
  }

  *#stream(): Steps {
    const flags = parseStreamHeader(this.#take(STREAM_HEADER_BYTES))
    if (flags === undefined) throw new Error('the header of a stream is wrong')
    const sizes: number[] = []
    for (;;) {
      yield 1
      const [size = 0] = this.#take(1)
      if (size === 0) break
      yield* this.#block((size + 1) * 4 - 1, {size, flags, sizes})
    }
    yield* this.#index(sizes)
    yield STREAM_FOOTER_BYTES
    if (parseStreamFooter(this.#take(STREAM_FOOTER_BYTES))?.flags !== flags)
      throw new Error('the footer of a stream is wrong')
  }

  *#block(
    rest: number,
    {size, flags, sizes}: {readonly size: number; readonly flags: number; readonly sizes: number[]},
  ): Steps {
    yield rest
    const header = Buffer.concat([Buffer.from([size]), this.#take(rest)])
    if (crc32(header.subarray(0, -4)) !== header.readUInt32LE(header.length - 4))
      throw new Error('the header of a block is wrong')
    const dictionary = dictionaryOf(header)
    if (!isLzma2Alone(header) || dictionary === undefined)
      throw new Error('another filter than LZMA2 is not supported')
    if (dictionary > limits.xzDictionaryBytes) throw new Error('the dictionary is too big')
    const decoder = new LzmaDecoder(dictionary)
    const check = checkOf(flags & 0xf, decoder)
    let packed = 0
    let plain = 0
    for (;;) {
      yield 1
      const [control = 0] = this.#take(1)
      packed += 1
      if (control === 0) break
      yield 5
      const chunk = this.#chunkHeader(control)
      yield chunk.packed
      decodeChunk(decoder, {control, bytes: this.#take(chunk.packed), ...chunk})
      packed += chunk.header + chunk.packed
      plain += chunk.plain
      const output = decoder.last(chunk.plain)
      check.update(output)
      this.#onOutput(output)
    }
    const length = header.length + packed
    const stated = checkBytes(flags)
    yield roundUp4(length) - length + stated
    const padding = this.#take(roundUp4(length) - length)
    if (padding.some((byte) => byte !== 0)) throw new Error('the padding of a block is wrong')
    if (Buffer.compare(this.#take(stated), check.end()) !== 0)
      throw new Error('the checksum of a block is wrong')
    sizes.push(length + stated, plain)
  }

  #chunkHeader(control: number): {
    readonly header: number
    readonly packed: number
    readonly plain: number
    readonly properties?: number
  } {
    if (control <= 2) {
      const size = this.#take(2).readUInt16BE(0) + 1
      return {header: 2, packed: size, plain: size}
    }
    if (control < 0x80) throw new Error('a chunk is of no known kind')
    const sizes = this.#take(4)
    const plain = (control & 0x1f) * 65_536 + sizes.readUInt16BE(0) + 1
    const packed = sizes.readUInt16BE(2) + 1
    if (control < 0xc0) return {header: 4, packed, plain}
    return {header: 5, packed, plain, properties: this.#take(1)[0] ?? 0}
  }

  *#index(sizes: readonly number[]): Steps {
    const read: Buffer[] = [Buffer.from([0])]
    const next = (): number => {
      const vli = decodeVli(this.#bytes, 0)
      if (vli === undefined)
        throw this.#bytes.length < LONGEST_VLI ? new EndOfInput() : new Error('the Index is wrong')
      read.push(this.#take(vli.next))
      return vli.value
    }
    yield LONGEST_VLI
    if (next() !== sizes.length / 2) throw new Error('the Index does not fit the blocks')
    for (const size of sizes) {
      yield LONGEST_VLI
      if (next() !== size) throw new Error('the Index does not fit the blocks')
    }
    const length = read.reduce((sum, bytes) => sum + bytes.length, 0)
    yield roundUp4(length) - length + 4
    read.push(this.#take(roundUp4(length) - length))
    if (this.#take(4).readUInt32LE(0) !== crc32(Buffer.concat(read)))
      throw new Error('the checksum of the Index is wrong')
  }
}

function decodeChunk(
  decoder: LzmaDecoder,
  chunk: {
    readonly control: number
    readonly bytes: Uint8Array
    readonly plain: number
    readonly properties?: number
  },
): void {
  const {control, bytes, plain, properties} = chunk
  if (control === 1 || control >= 0xe0) decoder.resetDictionary()
  if (control <= 2) return decoder.store(bytes)
  if (properties !== undefined) decoder.setProperties(properties)
  if (control >= 0xa0) decoder.resetState()
  decoder.decode(bytes, plain)
}
