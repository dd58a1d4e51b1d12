/** The alphabets of RFC 1951, 3.2.5: the symbol of each length and distance, and the extra bits after it. */

export const literalSymbols = 286
export const distanceSymbols = 30
export const firstLength = 257
export const longestMatch = 258

/** Extra bits of length symbol 257 + index. */
export const lengthExtra = new Uint8Array([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
])

/** Shortest length of each length symbol; 258 has a symbol of its own. */
export const lengthBase = lengthExtra.reduce((bases, _, slot) => {
  bases[slot] =
    slot === 0 ? 3 : slot === 28 ? longestMatch : (bases[slot - 1] ?? 0) + 2 ** (lengthExtra[slot - 1] ?? 0)
  return bases
}, new Uint16Array(29))

/** Index by match length, 3 to 258. */
export const slotOfLength = lengthBase.reduce(
  (slots, base, slot) => slots.fill(slot, base),
  new Uint8Array(longestMatch + 1),
)

/** Returns the extra bits of a distance symbol. */
export function distanceExtra(symbol: number): number {
  return symbol < 2 ? 0 : (symbol >>> 1) - 1
}
