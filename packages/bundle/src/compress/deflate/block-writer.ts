import type {BitOutput} from './bit-output.js'
import {codeLengths, packCodes} from './huffman-code.js'
import {
  distanceExtra,
  distanceSymbols,
  endOfBlock,
  firstLength,
  lengthBase,
  lengthExtra,
  longestMatch,
  slotOfLength,
} from './symbols.js'
import type {Tokens} from './tokenizer.js'
import {describeCode, type CodeDescription} from './code-description.js'

/**
 * 15 is the format's limit. With these two literals, or a distance and its 13 extra bits, go out in one write of 24
 * bits, for less than a thousandth of the size.
 */
const literalLimit = 12
const distanceLimit = 11

interface Codes {
  readonly literals: Int32Array
  readonly distances: Int32Array
  /** Code and extra bits of each match length, as `bits << 5 | count`. */
  readonly lengths: Int32Array
}

/** Writes tokens as one block with its own code, or their bytes stored where that is smaller. Never a final block. */
export const writeBlock = (output: BitOutput, plain: Uint8Array, tokens: Tokens): void => {
  const literalLengths = codeLengths(tokens.literalFrequencies, literalLimit)
  const distanceLengths = codeLengths(tokens.distanceFrequencies, distanceLimit)
  const description = describeCode(literalLengths, distanceLengths)
  if (sizeInBits(tokens, literalLengths, distanceLengths) + description.bits >= plain.length * 8) {
    output.putStored(plain)
    return
  }
  output.put(0b100, 3)
  writeDescription(output, description)
  const literals = packCodes(literalLengths)
  writeTokens(output, plain, {
    tokens,
    codes: {literals, distances: packCodes(distanceLengths), lengths: packLengths(literals)},
  })
}

const sizeInBits = (tokens: Tokens, literalLengths: Uint8Array, distanceLengths: Uint8Array): number => {
  let bits = 0
  for (const [symbol, count] of tokens.literalFrequencies.entries()) {
    bits += count * ((literalLengths[symbol] ?? 0) + (lengthExtra[symbol - firstLength] ?? 0))
  }
  for (let symbol = 0; symbol < distanceSymbols; symbol++) {
    bits +=
      (tokens.distanceFrequencies[symbol] ?? 0) * ((distanceLengths[symbol] ?? 0) + distanceExtra(symbol))
  }
  return bits
}

const writeDescription = (output: BitOutput, description: CodeDescription): void => {
  for (const [bits, count] of description.fields) output.put(bits, count)
}

const packLengths = (literals: Int32Array): Int32Array => {
  const lengths = new Int32Array(longestMatch + 1)
  for (let length = 3; length <= longestMatch; length++) {
    const slot = slotOfLength[length] ?? 0
    const code = literals[firstLength + slot] ?? 0
    const extra = length - (lengthBase[slot] ?? 0)
    lengths[length] =
      (((code >>> 4) | (extra << (code & 15))) << 5) | ((code & 15) + (lengthExtra[slot] ?? 0))
  }
  return lengths
}

/** The hot half of the encoder: it keeps the state of `output` in locals and inlines `put`. */
const writeTokens = (
  output: BitOutput,
  plain: Uint8Array,
  {tokens, codes}: {readonly tokens: Tokens; readonly codes: Codes},
): void => {
  const {runs, matches, count, tail} = tokens
  const {literals, distances, lengths} = codes
  const {view} = output
  let {length: to, pending, pendingBits: bits} = output
  let at = 0
  for (let token = 0; token <= count; token++) {
    const end = at + (token < count ? (runs[token] as number) : tail)
    for (; at + 1 < end; at += 2) {
      const first = literals[plain[at] as number] as number
      pending |= (first >>> 4) << bits
      bits += first & 15
      const second = literals[plain[at + 1] as number] as number
      pending |= (second >>> 4) << bits
      bits += second & 15
      view.setInt32(to, pending, true)
      to += bits >>> 3
      pending >>>= bits & 24
      bits &= 7
    }
    if (at < end) {
      const only = literals[plain[at++] as number] as number
      pending |= (only >>> 4) << bits
      bits += only & 15
      view.setInt32(to, pending, true)
      to += bits >>> 3
      pending >>>= bits & 24
      bits &= 7
    }
    if (token === count) break
    const match = matches[token] as number
    const matchLength = match & 511
    const length = lengths[matchLength] as number
    pending |= (length >>> 5) << bits
    bits += length & 31
    view.setInt32(to, pending, true)
    to += bits >>> 3
    pending >>>= bits & 24
    bits &= 7
    const below = (match >>> 9) - 1
    const high = below < 2 ? 1 : 31 - Math.clz32(below)
    const symbol = below < 2 ? below : 2 * high + ((below >>> (high - 1)) & 1)
    const code = distances[symbol] as number
    const extra = below < 2 ? 0 : below & ((1 << (high - 1)) - 1)
    pending |= ((code >>> 4) | (extra << (code & 15))) << bits
    bits += (code & 15) + high - 1
    view.setInt32(to, pending, true)
    to += bits >>> 3
    pending >>>= bits & 24
    bits &= 7
    at += matchLength
  }
  output.length = to
  output.pending = pending
  output.pendingBits = bits
  const end = literals[endOfBlock] ?? 0
  output.put(end >>> 4, end & 15)
}
