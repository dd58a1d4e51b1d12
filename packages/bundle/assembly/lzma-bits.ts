/** The range coder: bits and numbers out of a packed chunk. Loops keep its state in locals, which are faster than globals. */

/** A packed chunk, 64 KiB at most, with room for the bytes that a damaged chunk reads behind its end. */
export const INPUT: u32 = 0x8000
/** Below it the range takes in another byte. */
const TOP: u32 = 1 << 24
let range: u32 = 0
let code: u32 = 0
let next: u32 = 0

/** Begins with the chunk in the input. */
export function beginChunk(): void {
  range = 0xffff_ffff
  code = bswap(load<u32>(INPUT + 1))
  next = INPUT + 5
}

export function readBytes(): u32 {
  return next - INPUT
}

/** Returns true if a chunk of so many bytes was read to its end, and ends as it should. */
export function isAtEnd(packedBytes: u32): bool {
  return next == INPUT + packedBytes && code == 0
}

/** Decodes a literal by its probabilities, and by the byte that would match there. */
export function literalByte(probs: u32, isMatched: bool, matched: u32): u32 {
  let localRange = range
  let localCode = code
  let localNext = next
  let symbol: u32 = 1
  let offset: u32 = isMatched ? 0x100 : 0
  let match = matched
  while (symbol < 0x100) {
    match <<= 1
    const matchBit = match & offset
    const address = (probs + offset + matchBit + symbol) << 1
    const probability: u32 = load<u16>(address)
    const bound = (localRange >>> 11) * probability
    if (localCode < bound) {
      localRange = bound
      store<u16>(address, u16(probability + ((2048 - probability) >>> 5)))
      symbol <<= 1
      offset &= ~matchBit
    } else {
      localRange -= bound
      localCode -= bound
      store<u16>(address, u16(probability - (probability >>> 5)))
      symbol = (symbol << 1) | 1
      offset &= matchBit
    }
    if (localRange < TOP) {
      localRange <<= 8
      localCode = (localCode << 8) | load<u8>(localNext)
      localNext += 1
    }
  }
  range = localRange
  code = localCode
  next = localNext
  return symbol
}

export function tree(probs: u32, bits: u32): u32 {
  let localRange = range
  let localCode = code
  let localNext = next
  let symbol: u32 = 1
  for (let left = bits; left > 0; left--) {
    const address = (probs + symbol) << 1
    const probability: u32 = load<u16>(address)
    const bound = (localRange >>> 11) * probability
    if (localCode < bound) {
      localRange = bound
      store<u16>(address, u16(probability + ((2048 - probability) >>> 5)))
      symbol <<= 1
    } else {
      localRange -= bound
      localCode -= bound
      store<u16>(address, u16(probability - (probability >>> 5)))
      symbol = (symbol << 1) | 1
    }
    if (localRange < TOP) {
      localRange <<= 8
      localCode = (localCode << 8) | load<u8>(localNext)
      localNext += 1
    }
  }
  range = localRange
  code = localCode
  next = localNext
  return symbol - (1 << bits)
}

export function reverseTree(probs: u32, bits: u32): u32 {
  let localRange = range
  let localCode = code
  let localNext = next
  let node: u32 = 1
  let symbol: u32 = 0
  for (let index: u32 = 0; index < bits; index++) {
    const address = (probs + node) << 1
    const probability: u32 = load<u16>(address)
    const bound = (localRange >>> 11) * probability
    if (localCode < bound) {
      localRange = bound
      store<u16>(address, u16(probability + ((2048 - probability) >>> 5)))
      node <<= 1
    } else {
      localRange -= bound
      localCode -= bound
      store<u16>(address, u16(probability - (probability >>> 5)))
      node = (node << 1) | 1
      symbol |= 1 << index
    }
    if (localRange < TOP) {
      localRange <<= 8
      localCode = (localCode << 8) | load<u8>(localNext)
      localNext += 1
    }
  }
  range = localRange
  code = localCode
  next = localNext
  return symbol
}

export function directBits(count: u32): u32 {
  let localRange = range
  let localCode = code
  let localNext = next
  let value: u32 = 0
  for (let left = count; left > 0; left--) {
    localRange >>>= 1
    value <<= 1
    if (localCode >= localRange) {
      localCode -= localRange
      value |= 1
    }
    if (localRange < TOP) {
      localRange <<= 8
      localCode = (localCode << 8) | load<u8>(localNext)
      localNext += 1
    }
  }
  range = localRange
  code = localCode
  next = localNext
  return value
}

export function bit(index: u32): u32 {
  const address = index << 1
  const probability: u32 = load<u16>(address)
  const bound = (range >>> 11) * probability
  let found: u32 = 0
  if (code < bound) {
    range = bound
    store<u16>(address, u16(probability + ((2048 - probability) >>> 5)))
  } else {
    range -= bound
    code -= bound
    store<u16>(address, u16(probability - (probability >>> 5)))
    found = 1
  }
  normalize()
  return found
}

function normalize(): void {
  if (range >= TOP) return
  range <<= 8
  code = (code << 8) | load<u8>(next)
  next += 1
}
