import {codeLengths, packCodes} from './huffman-code.js'

export interface CodeDescription {
  /** Fields of the block's head: each one's bits and their count. */
  readonly fields: readonly (readonly [bits: number, count: number])[]
  readonly bits: number
}

/** The order of RFC 1951 for the lengths of the code that encodes code lengths; the last are rarely used. */
const sendingOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
const repeatPrevious = 16
const repeatZero = 17
const repeatZeroLong = 18
function extraBits(symbol: number): number {
  return symbol === repeatPrevious ? 2 : symbol === repeatZero ? 3 : symbol === repeatZeroLong ? 7 : 0
}

/** Returns the description of a dynamic block's code (RFC 1951, 3.2.7). */
export function describeCode(literalLengths: Uint8Array, distanceLengths: Uint8Array): CodeDescription {
  const literals = literalLengths.subarray(0, Math.max(257, endOfUsed(literalLengths)))
  const distances = distanceLengths.subarray(0, Math.max(1, endOfUsed(distanceLengths)))
  const symbols = runLengths([...literals, ...distances])
  const frequencies = new Int32Array(19)
  for (const [symbol] of symbols) frequencies[symbol] = (frequencies[symbol] ?? 0) + 1
  const lengths = codeLengths(frequencies, 7)
  const codes = packCodes(lengths)
  const sent = sendingOrder.map((symbol) => lengths[symbol] ?? 0)
  sent.length = Math.max(4, sent.findLastIndex((length) => length > 0) + 1)
  const fields: (readonly [number, number])[] = [
    [literals.length - 257, 5],
    [distances.length - 1, 5],
    [sent.length - 4, 4],
  ]
  for (const length of sent) fields.push([length, 3])
  for (const [symbol, extra] of symbols) {
    const code = codes[symbol] ?? 0
    fields.push([(code >>> 4) | (extra << (code & 15)), (code & 15) + extraBits(symbol)])
  }
  return {fields, bits: fields.reduce((sum, [, count]) => sum + count, 3)}
}

function endOfUsed(lengths: Uint8Array): number {
  return lengths.findLastIndex((length) => length > 0) + 1
}

function runLengths(lengths: readonly number[]): readonly (readonly [symbol: number, extra: number])[] {
  const symbols: (readonly [number, number])[] = []
  for (let at = 0; at < lengths.length;) {
    const length = lengths[at] ?? 0
    let left = 1
    while (lengths[at + left] === length) left++
    at += left
    if (length > 0) {
      symbols.push([length, 0])
      left--
    }
    while (left >= 3) {
      const longest = length > 0 ? 6 : left > 10 ? 138 : 10
      const taken = Math.min(left, longest)
      if (length > 0) symbols.push([repeatPrevious, taken - 3])
      else if (taken > 10) symbols.push([repeatZeroLong, taken - 11])
      else symbols.push([repeatZero, taken - 3])
      left -= taken
    }
    for (; left > 0; left--) symbols.push([length, 0])
  }
  return symbols
}
