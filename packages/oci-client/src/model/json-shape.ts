const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b])
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d])

/** About how many values a parser would make of JSON, and how deep they nest. */
export interface JsonShape {
  readonly values: number
  readonly depth: number
}

/**
 * Looks over JSON before it is parsed: a few bytes of text can become hundreds of memory, and what a parser takes without
 * recursion, writing it again does not.
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
