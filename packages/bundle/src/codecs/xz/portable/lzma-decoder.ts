/** Places of the probabilities, one kind after another (the LZMA specification of the LZMA SDK, lzma-specification.txt). */
const IS_MATCH = 0
const IS_REP = IS_MATCH + 12 * 16
const IS_REP_G0 = IS_REP + 12
const IS_REP_G1 = IS_REP_G0 + 12
const IS_REP_G2 = IS_REP_G1 + 12
const IS_REP0_LONG = IS_REP_G2 + 12
const POS_SLOT = IS_REP0_LONG + 12 * 16
const POS_SPECIAL = POS_SLOT + 4 * 64
const ALIGN = POS_SPECIAL + 128
const MATCH_LENGTH = ALIGN + 16
const LENGTH_PROBS = 2 + 16 * 8 + 16 * 8 + 256
const REP_LENGTH = MATCH_LENGTH + LENGTH_PROBS
const LITERAL = REP_LENGTH + LENGTH_PROBS
const LITERAL_PROBS = 0x300

const HALF = 1024
const TOP = 2 ** 24
/** LZMA2 chunks hold no more than this. */
const CHUNK_BYTES = 2 * 1024 * 1024

/** Decodes the chunks of LZMA2 into a window of what came before. */
export class LzmaDecoder {
  readonly #window: Uint8Array
  #at = 0
  /** Bytes since the dictionary was reset. */
  #total = 0
  #probs: Uint16Array = new Uint16Array(LITERAL)
  #lc = 0
  #lpMask = 0
  #pbMask = 0
  #state = 0
  readonly #reps = new Uint32Array(4)
  #input: Uint8Array = new Uint8Array()
  #next = 0
  #range = 0
  #code = 0

  constructor(dictionaryBytes: number) {
    this.#window = new Uint8Array(Math.max(dictionaryBytes, 2 * CHUNK_BYTES))
  }

  resetDictionary(): void {
    this.#total = 0
  }

  /** @throws {Error} if the byte is none that LZMA2 allows */
  setProperties(byte: number): void {
    if (byte > 4 * 45 + 44) throw new Error('the properties of a chunk are wrong')
    const lc = byte % 9
    const rest = Math.floor(byte / 9)
    const lp = rest % 5
    if (lc + lp > 4) throw new Error('the properties of a chunk are wrong')
    this.#lc = lc
    this.#lpMask = (1 << lp) - 1
    this.#pbMask = (1 << Math.floor(rest / 5)) - 1
    this.#probs = new Uint16Array(LITERAL + (LITERAL_PROBS << (lc + lp)))
  }

  resetState(): void {
    this.#state = 0
    this.#reps.fill(0)
    this.#probs.fill(HALF)
  }

  /** Takes a chunk that is stored as it is. */
  store(bytes: Uint8Array): void {
    for (const byte of bytes) this.#put(byte)
  }

  /** Decodes a chunk. @throws {Error} if it is damaged */
  decode(packed: Uint8Array, plainBytes: number): void {
    this.#input = packed
    this.#next = 5
    this.#range = 0xffffffff
    this.#code =
      (((packed[1] ?? 0) << 24) | ((packed[2] ?? 0) << 16) | ((packed[3] ?? 0) << 8) | (packed[4] ?? 0)) >>> 0
    if (packed[0] !== 0) throw new Error('a chunk does not begin like one')
    const end = this.#total + plainBytes
    while (this.#total < end) this.#symbol(end)
    if (this.#total !== end || this.#next !== packed.length || this.#code !== 0)
      throw new Error('a chunk does not end where it should')
  }

  /** A copy of the last `length` bytes, of one chunk at most. */
  last(length: number): Uint8Array {
    const {length: size} = this.#window
    const start = (this.#at - length + size) % size
    if (start + length <= size) return this.#window.slice(start, start + length)
    const bytes = new Uint8Array(length)
    bytes.set(this.#window.subarray(start))
    bytes.set(this.#window.subarray(0, length - (size - start)), size - start)
    return bytes
  }

  #symbol(end: number): void {
    const posState = this.#total & this.#pbMask
    const state = this.#state
    if (this.#bit(IS_MATCH + state * 16 + posState) === 0) return this.#literal()
    if (this.#bit(IS_REP + state) === 0) {
      this.#reps.copyWithin(1, 0, 3)
      const length = this.#length(MATCH_LENGTH, posState)
      this.#state = state < 7 ? 7 : 10
      this.#reps[0] = this.#distance(length)
      return this.#copy(length, end)
    }
    if (this.#bit(IS_REP_G0 + state) === 0) {
      if (this.#bit(IS_REP0_LONG + state * 16 + posState) === 0) {
        this.#state = state < 7 ? 9 : 11
        return this.#copy(1, end)
      }
    } else this.#reuseDistance(state)
    const length = this.#length(REP_LENGTH, posState)
    this.#state = state < 7 ? 8 : 11
    this.#copy(length, end)
  }

  #reuseDistance(state: number): void {
    const reps = this.#reps
    let from = 1
    if (this.#bit(IS_REP_G1 + state) === 1) from = this.#bit(IS_REP_G2 + state) === 0 ? 2 : 3
    const distance = reps[from] ?? 0
    reps.copyWithin(1, 0, from)
    reps[0] = distance
  }

  #literal(): void {
    const previous = this.#total === 0 ? 0 : this.#byteAt(0)
    const place = ((this.#total & this.#lpMask) << this.#lc) + (previous >>> (8 - this.#lc))
    const probs = LITERAL + LITERAL_PROBS * place
    let symbol = 1
    if (this.#state >= 7) {
      let match = this.#byteAt(this.#reps[0] ?? 0)
      while (symbol < 0x100) {
        const matchBit = (match >>> 7) & 1
        match <<= 1
        const bit = this.#bit(probs + ((1 + matchBit) << 8) + symbol)
        symbol = (symbol << 1) | bit
        if (matchBit !== bit) break
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(probs + symbol)
    this.#put(symbol & 0xff)
    const state = this.#state
    this.#state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6
  }

  #length(probs: number, posState: number): number {
    if (this.#bit(probs) === 0) return 2 + this.#tree(probs + 2 + posState * 8, 3)
    if (this.#bit(probs + 1) === 0) return 10 + this.#tree(probs + 2 + 128 + posState * 8, 3)
    return 18 + this.#tree(probs + 2 + 256, 8)
  }

  #distance(length: number): number {
    const slot = this.#tree(POS_SLOT + Math.min(length - 2, 3) * 64, 6)
    if (slot < 4) return slot
    const bits = (slot >>> 1) - 1
    const base = (2 | (slot & 1)) * 2 ** bits
    if (slot < 14) return base + this.#reverseTree(POS_SPECIAL + base - slot, bits)
    return base + this.#directBits(bits - 4) * 16 + this.#reverseTree(ALIGN, 4)
  }

  #copy(length: number, end: number): void {
    const distance = this.#reps[0] ?? 0
    if (distance >= this.#total || distance >= this.#window.length)
      throw new Error('a match lies before the start')
    if (this.#total + length > end) throw new Error('a match reaches over its chunk')
    for (let left = length; left > 0; left -= 1) this.#put(this.#byteAt(distance))
  }

  #byteAt(distance: number): number {
    const place = this.#at - 1 - distance
    return this.#window[place < 0 ? place + this.#window.length : place] ?? 0
  }

  #put(byte: number): void {
    this.#window[this.#at] = byte
    this.#at = this.#at + 1 === this.#window.length ? 0 : this.#at + 1
    this.#total += 1
  }

  #tree(probs: number, bits: number): number {
    let symbol = 1
    for (let left = bits; left > 0; left -= 1) symbol = (symbol << 1) | this.#bit(probs + symbol)
    return symbol - (1 << bits)
  }

  #reverseTree(probs: number, bits: number): number {
    let node = 1
    let symbol = 0
    for (let index = 0; index < bits; index += 1) {
      const bit = this.#bit(probs + node)
      node = (node << 1) | bit
      symbol |= bit << index
    }
    return symbol
  }

  #directBits(count: number): number {
    let value = 0
    for (let left = count; left > 0; left -= 1) {
      this.#range >>>= 1
      const bit = this.#code >= this.#range ? 1 : 0
      if (bit === 1) this.#code -= this.#range
      value = value * 2 + bit
      this.#normalize()
    }
    return value
  }

  #bit(index: number): number {
    const prob = this.#probs[index] ?? 0
    const bound = (this.#range >>> 11) * prob
    if (this.#code < bound) {
      this.#range = bound
      this.#probs[index] = prob + ((2048 - prob) >>> 5)
      this.#normalize()
      return 0
    }
    this.#range -= bound
    this.#code -= bound
    this.#probs[index] = prob - (prob >>> 5)
    this.#normalize()
    return 1
  }

  #normalize(): void {
    if (this.#range >= TOP) return
    this.#range = (this.#range << 8) >>> 0
    this.#code = ((this.#code << 8) | (this.#input[this.#next] ?? 0)) >>> 0
    this.#next += 1
  }
}
