import {describeCode} from './code-description.js'
import {codeLengths, packCodes} from './huffman-code.js'
import type {Kernel} from './kernel.js'
import {
  distanceExtra,
  distanceSymbols,
  firstLength,
  lengthBase,
  lengthExtra,
  longestMatch,
  slotOfLength,
} from './symbols.js'

/** The format's limit is 15. With 14, four literals fit into one write of 64 bits. */
const codeLimit = 14

/** Writes the tokens for `start` to `end` as one non-final block with its own code, or stored if that is smaller. */
export function writeBlock(kernel: Kernel, start: number, end: number): void {
  const literalLengths = codeLengths(kernel.literalCounts, codeLimit)
  const distanceLengths = codeLengths(kernel.distanceCounts, codeLimit)
  const description = describeCode(literalLengths, distanceLengths)
  if (sizeInBits(kernel, literalLengths, distanceLengths) + description.bits >= (end - start) * 8) {
    kernel.putStored(start, end)
    return
  }
  kernel.put(0b100, 3)
  for (const [bits, count] of description.fields) kernel.put(bits, count)
  const literals = packCodes(literalLengths)
  kernel.literalCodes.set(literals)
  kernel.distanceCodes.set(packCodes(distanceLengths))
  kernel.lengthCodes.set(packLengths(literals))
  kernel.writeTokens(start)
}

function sizeInBits(
  {literalCounts, distanceCounts}: Kernel,
  literalLengths: Uint8Array,
  distanceLengths: Uint8Array,
): number {
  let bits = 0
  // By index, because the entries of an iterator would be most of the garbage of a save.
  for (let symbol = 0; symbol < literalCounts.length; symbol++) {
    const count = literalCounts[symbol] ?? 0
    bits += count * ((literalLengths[symbol] ?? 0) + (lengthExtra[symbol - firstLength] ?? 0))
  }
  for (let symbol = 0; symbol < distanceSymbols; symbol++) {
    bits += (distanceCounts[symbol] ?? 0) * ((distanceLengths[symbol] ?? 0) + distanceExtra(symbol))
  }
  return bits
}

/**
 * Returns code and extra bits of each match length, as `bits << 5
 * count`.
 */
function packLengths(literals: Int32Array): Int32Array {
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
