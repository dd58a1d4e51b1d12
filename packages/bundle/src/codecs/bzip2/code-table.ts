import type {BitReader} from './bit-reader.js'

const LONGEST_CODE = 20
const MOST_SYMBOLS = 258

/** A canonical Huffman code, decoded by the length of a code and the range of codes of that length. */
export interface CodeTable {
  readonly shortest: number
  /** By length: the highest code, or -1 if there is none; and the number that turns a code into its index in `symbols`. */
  readonly limits: Int32Array
  readonly bases: Int32Array
  readonly symbols: Uint16Array
}

/** Reads the code lengths of `count` symbols, each as a step from the previous length. */
export function readCodeTable(bits: BitReader, count: number): CodeTable {
  const lengths = new Uint8Array(count)
  let length = bits.take(5)
  for (let symbol = 0; symbol < count; symbol += 1) {
    for (;;) {
      if (length < 1 || length > LONGEST_CODE) throw new Error('a code has an impossible length')
      if (bits.take(1) === 0) break
      length += bits.take(1) === 0 ? 1 : -1
    }
    lengths[symbol] = length
  }
  return codeTable(lengths)
}

function codeTable(lengths: Uint8Array): CodeTable {
  const limits = new Int32Array(LONGEST_CODE + 2).fill(-1)
  const bases = new Int32Array(LONGEST_CODE + 2)
  const symbols = new Uint16Array(MOST_SYMBOLS)
  let shortest = LONGEST_CODE
  let code = 0
  let place = 0
  for (let length = 1; length <= LONGEST_CODE; length += 1) {
    bases[length] = place - code
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue
      symbols[place] = symbol
      place += 1
      code += 1
      shortest = Math.min(shortest, length)
    }
    limits[length] = code - 1
    code <<= 1
  }
  return {shortest, limits, bases, symbols}
}

/** Returns the next symbol. */
export function readSymbol(bits: BitReader, {shortest, limits, bases, symbols}: CodeTable): number {
  const ahead = bits.peek(LONGEST_CODE)
  for (let length = shortest; length <= LONGEST_CODE; length += 1) {
    const code = ahead >>> (LONGEST_CODE - length)
    if (code > (limits[length] ?? -1)) continue
    bits.skip(length)
    return symbols[code + (bases[length] ?? 0)] ?? 0
  }
  throw new Error('a code is unknown')
}
