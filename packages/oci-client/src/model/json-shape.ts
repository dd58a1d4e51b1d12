const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b])
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d])

/** Estimate of the values that a parser would make of JSON, and the depth to which they nest. */
export interface JsonShape {
  readonly values: number
  readonly depth: number
}

/**
 * Measures JSON before it is parsed. A few bytes of text can need hundreds in memory, and JSON that nests deep can be
 * parsed but not written again.
 */
export function jsonShape(bytes: Uint8Array): JsonShape {
  let values = 1
  let depth = 0
  let deepest = 0
  let inText = false
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === QUOTE) inText = !inText
    else if (inText) at += byte === BACKSLASH ? 1 : 0
    else if (byte === COMMA) values += 1
    else if (OPENING.has(byte)) {
      values += 1
      depth += 1
      deepest = Math.max(deepest, depth)
    } else if (CLOSING.has(byte)) depth -= 1
  }
  return {values, depth: deepest}
}
