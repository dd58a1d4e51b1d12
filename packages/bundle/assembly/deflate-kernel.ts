/**
 * The two loops that deflate spends its time in, in AssemblyScript: a dialect of TypeScript for WebAssembly. Integers
 * only, so that every machine does the same. Memory is laid out below; the exported addresses are for the host.
 */

/** One slot for each hash: the low 16 bits of the two latest places that had it, the latest one lowest. */
const PLACES: u32 = 0
const HASH_BITS: u32 = 15

/** Literals and lengths, then distances: how often each symbol stands in the tokens. */
export const LITERAL_COUNTS: u32 = 0x2_0000
export const DISTANCE_COUNTS: u32 = 0x2_0800
/** Codes as `bits << 4 | length`, bits reversed; of a match length with its extra bits, as `bits << 5 | length`. */
export const LITERAL_CODES: u32 = 0x2_1000
export const DISTANCE_CODES: u32 = 0x2_1800
export const LENGTH_CODES: u32 = 0x2_2000
/** A byte for each match length: its symbol, less 257. */
export const LENGTH_SLOTS: u32 = 0x2_2800

/** Token i is a number of literals, then a match as `distance << 9 | length`: 8 bytes. */
const TOKENS: u32 = 0x3_0000
/** A block of tokens ends here, so that its code fits its content. */
const MOST_TOKENS: u32 = 16_384
const MOST_BYTES: u32 = 128 * 1024

/** Plain bytes, a MiB at most. Below are more than the 64 KiB that a place from an earlier round may point to. */
export const PLAIN: u32 = 0x6_0000
/** Packed bytes: those of the plain ones, with room for the heads of stored blocks and for the last write's excess. */
export const PACKED: u32 = 0x17_0000

const END_OF_BLOCK: u32 = 256
const FIRST_LENGTH: u32 = 257
const SHORTEST: u32 = 4
const LONGEST: u32 = 258
const FARTHEST: u32 = 32_768

/** A match this long is taken without a look at the next position. */
const GOOD: u32 = 32
/** In a match longer than this only the places at both its ends are remembered. */
const REMEMBERED: u32 = 16
/** After 2^8 literals in a row the search strides, since content that is already compressed has no matches to find. */
const STRIDE_SHIFT: u32 = 8

/** The number of tokens at hand; `tail` is how many literals follow the last match. */
let tokens: u32 = 0
let tail: u32 = 0

/** The end of the packed bytes, and the bits that wait for their byte: at most 7 between two calls. */
let to: u32 = PACKED
let pending: u64 = 0
let pendingBits: u64 = 0

/** Forgets all earlier bytes, plain and packed. */
export function reset(): void {
  memory.fill(PLACES, 0, 4 << HASH_BITS)
  to = PACKED
  pending = 0
  pendingBits = 0
}

/** Returns the number of whole packed bytes. */
export function packedLength(): u32 {
  return to - PACKED
}

/** At most 32 bits. */
export function put(bits: u32, count: u32): void {
  pending |= u64(bits) << pendingBits
  pendingBits += count
  store<u64>(to, pending)
  to += u32(pendingBits >> 3)
  pending >>= pendingBits & 56
  pendingBits &= 7
}

/** Stored blocks: plain bytes as they are, at a byte boundary. None at all makes the boundary of a sync flush. */
export function putStored(start: u32, end: u32): void {
  do {
    const length = min(end - start, 0xffff)
    put(0, 3)
    if (pendingBits > 0) put(0, 8 - u32(pendingBits))
    put((~length << 16) | length, 32)
    memory.copy(to, PLAIN + start, length)
    to += length
    start += length
  } while (start < end)
}

/**
 * Turns plain bytes from `start` on into tokens, of `size` plain bytes in all, counts their symbols, and returns where
 * the tokens end. Finds repeats of four bytes and more, and prefers a longer one that begins a byte later (RFC 1951, 4).
 */
export function tokenize(start: u32, size: u32): u32 {
  memory.fill(LITERAL_COUNTS, 0, 0x1000)
  increment(LITERAL_COUNTS, END_OF_BLOCK)
  const end = PLAIN + size
  const stop = PLAIN + min(size, start + MOST_BYTES)
  // Four bytes are read at a place and at the one after it.
  const last = min(stop, end - min(SHORTEST + 1, size))
  const tokensEnd = TOKENS + MOST_TOKENS * 8
  let token = TOKENS
  let at = PLAIN + start
  let run: u32 = 0
  while (at < last && token < tokensEnd) {
    const word = load<u32>(at)
    const slot = slotOf(word)
    const places = load<u32>(slot)
    store<u32>(slot, (places << 16) | (at & 0xffff))
    // Both are compared before either is looked at: one guess of the processor instead of two. A place of 64 KiB ago
    // or more appears closer than it was, where other bytes are or none: only what reaches too far is refused.
    const newest = (at - places) & 0xffff
    const older = (at - (places >> 16)) & 0xffff
    const newestAgrees = load<u32>(at - newest) === word
    const olderAgrees = load<u32>(at - older) === word
    let length: u32 = 0
    let distance = newest
    if (newestAgrees || olderAgrees) {
      const reach = min(at - PLAIN, FARTHEST)
      if (newestAgrees && newest - 1 < reach) length = matchLength(at - newest, at, end)
      if (olderAgrees && length < GOOD && older - 1 < reach) {
        const other = matchLength(at - older, at, end)
        if (other > length) {
          length = other
          distance = older
        }
      }
    }
    if (length === 0) {
      let stride = min(last - at, 1 + (run >> STRIDE_SHIFT))
      run += stride
      for (; stride > 0; stride--) increment(LITERAL_COUNTS, load<u8>(at++))
      continue
    }
    // Longer than to the very end it cannot get.
    if (length < GOOD && at + length + 1 < end && at + 1 < last) {
      const next = at + 1
      const nextWord = load<u32>(next)
      const nextSlot = slotOf(nextWord)
      const nextPlaces = load<u32>(nextSlot)
      // A longer match agrees in its last four bytes too, which lie one past the end of this one.
      const lastFour = length - 3
      const ending = load<u32>(next + lastFour)
      const reach = min(next - PLAIN, FARTHEST)
      let best = length
      for (let both: u32 = nextPlaces, way = 0; way < 2; way++, both >>= 16) {
        const candidate = (next - both) & 0xffff
        if (load<u32>(next - candidate + lastFour) !== ending) continue
        if (load<u32>(next - candidate) !== nextWord || candidate - 1 >= reach) continue
        const other = matchLength(next - candidate, next, end)
        if (other <= best) continue
        best = other
        distance = candidate
      }
      if (best > length) {
        increment(LITERAL_COUNTS, load<u8>(at))
        run++
        at = next
        store<u32>(nextSlot, (nextPlaces << 16) | (at & 0xffff))
        length = best
      }
    }
    store<u32>(token, run)
    store<u32>(token + 4, (distance << 9) | length)
    token += 8
    run = 0
    increment(LITERAL_COUNTS, FIRST_LENGTH + load<u8>(LENGTH_SLOTS + length))
    increment(DISTANCE_COUNTS, distanceSymbol(distance))
    const after = at + length
    const known = min(after, last)
    if (length > REMEMBERED) {
      const skip = min(at + 1 + REMEMBERED / 2, known)
      for (at++; at < skip; at++) remember(at)
      at = after - REMEMBERED / 2
    } else at++
    for (; at < known; at++) remember(at)
    at = after
  }
  if (token < tokensEnd) {
    for (; at < stop; at++, run++) increment(LITERAL_COUNTS, load<u8>(at))
  }
  tokens = (token - TOKENS) >> 3
  tail = run
  return at - PLAIN
}

/** Writes the tokens that stand for the plain bytes from `start` on, and the end of the block. No code exceeds 14 bits. */
export function writeTokens(start: u32): void {
  let at = PLAIN + start
  let here = to
  let buffer = pending
  let bits = pendingBits
  const tokensEnd = TOKENS + tokens * 8
  for (let token = TOKENS; ; token += 8) {
    const end = at + (token < tokensEnd ? load<u32>(token) : tail)
    // Four codes and the 7 bits before them are 63 at most.
    for (; at + 4 <= end; at += 4) {
      const four = load<u32>(at)
      const first = codeOf(four & 255)
      buffer |= u64(first >> 4) << bits
      bits += first & 15
      const second = codeOf((four >> 8) & 255)
      buffer |= u64(second >> 4) << bits
      bits += second & 15
      const third = codeOf((four >> 16) & 255)
      buffer |= u64(third >> 4) << bits
      bits += third & 15
      const fourth = codeOf(four >> 24)
      buffer |= u64(fourth >> 4) << bits
      bits += fourth & 15
      store<u64>(here, buffer)
      here += u32(bits >> 3)
      buffer >>= bits & 56
      bits &= 7
    }
    for (; at < end; at++) {
      const code = codeOf(load<u8>(at))
      buffer |= u64(code >> 4) << bits
      bits += code & 15
    }
    store<u64>(here, buffer)
    here += u32(bits >> 3)
    buffer >>= bits & 56
    bits &= 7
    if (token === tokensEnd) break
    const match = load<u32>(token + 4)
    const length = load<u32>(LENGTH_CODES + (match & 511) * 4)
    buffer |= u64(length >> 5) << bits
    bits += length & 31
    const below = (match >> 9) - 1
    const extraBits: u32 = below < 2 ? 0 : 30 - clz(below)
    const distance = load<u32>(DISTANCE_CODES + distanceSymbol(match >> 9) * 4)
    buffer |= u64(distance >> 4) << bits
    bits += distance & 15
    buffer |= u64(below & ((1 << extraBits) - 1)) << bits
    bits += extraBits
    store<u64>(here, buffer)
    here += u32(bits >> 3)
    buffer >>= bits & 56
    bits &= 7
    at += match & 511
  }
  to = here
  pending = buffer
  pendingBits = bits
  const endOfBlock = codeOf(END_OF_BLOCK)
  put(endOfBlock >> 4, endOfBlock & 15)
}

function codeOf(symbol: u32): u32 {
  return load<u32>(LITERAL_CODES + symbol * 4)
}

function increment(counts: u32, symbol: u32): void {
  const count = counts + symbol * 4
  store<u32>(count, load<u32>(count) + 1)
}

function slotOf(word: u32): u32 {
  return PLACES + ((word * 0x9e37_79b1) >> (32 - HASH_BITS)) * 4
}

function remember(at: u32): void {
  const slot = slotOf(load<u32>(at))
  store<u32>(slot, (load<u32>(slot) << 16) | (at & 0xffff))
}

/** Both places are known to agree in four bytes. */
function matchLength(earlier: u32, at: u32, end: u32): u32 {
  const stop = min(end, at + LONGEST)
  let here = at + SHORTEST
  let back = earlier + SHORTEST
  for (; here + 8 <= stop; here += 8, back += 8) {
    const difference = load<u64>(here) ^ load<u64>(back)
    if (difference !== 0) return here - at + (u32(ctz(difference)) >> 3)
  }
  for (; here < stop && load<u8>(here) === load<u8>(back); here++, back++) {}
  return here - at
}

function distanceSymbol(distance: u32): u32 {
  const below = distance - 1
  if (below < 2) return below
  const high: u32 = 31 - clz(below)
  return 2 * high + ((below >> (high - 1)) & 1)
}
