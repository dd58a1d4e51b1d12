/**
 * The decoder of LZMA chunks, in AssemblyScript: a dialect of TypeScript for WebAssembly. Memory is laid out below; the
 * exported addresses are for the host.
 */

import {addRange} from './lzma-checksum'
import {
  beginChunk,
  bit,
  directBits,
  INPUT,
  isAtEnd,
  literalByte,
  readBytes,
  reverseTree,
  tree,
} from './lzma-bits'

export {checksumHigh, checksumLow} from './lzma-checksum'

/** Probabilities, 16 bits each, one kind after another (the LZMA SDK's lzma-specification.txt). */
const IS_MATCH: u32 = 0
const IS_REP: u32 = IS_MATCH + 12 * 16
const IS_REP_G0: u32 = IS_REP + 12
const IS_REP_G1: u32 = IS_REP_G0 + 12
const IS_REP_G2: u32 = IS_REP_G1 + 12
const IS_REP0_LONG: u32 = IS_REP_G2 + 12
const POS_SLOT: u32 = IS_REP0_LONG + 12 * 16
const POS_SPECIAL: u32 = POS_SLOT + 4 * 64
const ALIGN: u32 = POS_SPECIAL + 128
const MATCH_LENGTH: u32 = ALIGN + 16
const LENGTH_PROBS: u32 = 2 + 16 * 8 + 16 * 8 + 256
const REP_LENGTH: u32 = MATCH_LENGTH + LENGTH_PROBS
const LITERAL: u32 = REP_LENGTH + LENGTH_PROBS
const LITERAL_PROBS: u32 = 0x300

/** The place where the host puts a packed chunk. */
export {INPUT}

const HALF: u16 = 1024
/** From this length a copy of memory is faster than a loop. */
const LONG: u32 = 48

/** The plain bytes, in a circle. */
export const WINDOW: u32 = 0x2_0000

let windowBytes: u32 = 0
/** The place of the next byte in the window. */
let at: u32 = 0
/** Bytes since the dictionary was reset, at most the window's. */
let filled: u32 = 0
/** The same without a limit, of which only the lowest bits count. */
let position: u32 = 0

let lc: u32 = 0
let lpMask: u32 = 0
let pbMask: u32 = 0
let state: u32 = 0
let rep0: u32 = 0
let rep1: u32 = 0
let rep2: u32 = 0
let rep3: u32 = 0

/** Sets the window's size. Returns false if there is no memory for it. */
export function init(bytes: u32): bool {
  windowBytes = bytes
  const pages = i32((WINDOW + bytes + 0xffff) >>> 16)
  const more = pages - memory.size()
  return more <= 0 || memory.grow(more) >= 0
}

/** Returns the place behind the last plain byte. */
export function end(): u32 {
  return at
}

/** Takes the last bytes into the checksum, no more than the window has. */
export function addToChecksum(bytes: u32): void {
  const wrapped = bytes > at ? bytes - at : 0
  if (wrapped > 0) addRange(WINDOW + windowBytes - wrapped, wrapped)
  addRange(WINDOW + at - (bytes - wrapped), bytes - wrapped)
}

export function resetDictionary(): void {
  filled = 0
  position = 0
}

export function setProperties(literalContext: u32, literalPosition: u32, positionBits: u32): void {
  lc = literalContext
  lpMask = (1 << literalPosition) - 1
  pbMask = (1 << positionBits) - 1
}

/** Forgets all that was learnt, for the properties set before. */
export function resetState(literalBits: u32): void {
  state = 0
  rep0 = 0
  rep1 = 0
  rep2 = 0
  rep3 = 0
  const count = LITERAL + (LITERAL_PROBS << literalBits)
  for (let index: u32 = 0; index < count; index++) store<u16>(index << 1, HALF)
}

/** Takes a chunk that is stored as it is from the input. */
export function storeChunk(bytes: u32): void {
  for (let done: u32 = 0; done < bytes;) {
    const part = min(bytes - done, windowBytes - at)
    memory.copy(WINDOW + at, INPUT + done, part)
    done += part
    advance(part)
  }
}

/**
 * Decodes the chunk in the input. Returns 0, or what is wrong with it: 1 its beginning, 2 a match before the start, 3 a
 * match over its end, 4 its end.
 */
export function decode(packedBytes: u32, plainBytes: u32): u32 {
  if (load<u8>(INPUT) != 0) return 1
  beginChunk()
  let left = plainBytes
  while (left > 0) {
    if (readBytes() > packedBytes) return 4
    const posState = position & pbMask
    if (bit(IS_MATCH + (state << 4) + posState) == 0) {
      literal()
      left -= 1
      continue
    }
    let length: u32 = 1
    if (bit(IS_REP + state) == 0) {
      rep3 = rep2
      rep2 = rep1
      rep1 = rep0
      length = lengthOf(MATCH_LENGTH, posState)
      state = state < 7 ? 7 : 10
      rep0 = distanceFor(length)
    } else if (bit(IS_REP_G0 + state) != 0) {
      reuseDistance()
      length = lengthOf(REP_LENGTH, posState)
      state = state < 7 ? 8 : 11
    } else if (bit(IS_REP0_LONG + (state << 4) + posState) == 0) {
      state = state < 7 ? 9 : 11
    } else {
      length = lengthOf(REP_LENGTH, posState)
      state = state < 7 ? 8 : 11
    }
    if (rep0 >= filled) return 2
    if (length > left) return 3
    copyMatch(length)
    left -= length
  }
  return isAtEnd(packedBytes) ? 0 : 4
}

function reuseDistance(): void {
  let distance = rep1
  if (bit(IS_REP_G1 + state) != 0) {
    if (bit(IS_REP_G2 + state) == 0) distance = rep2
    else {
      distance = rep3
      rep3 = rep2
    }
    rep2 = rep1
  }
  rep1 = rep0
  rep0 = distance
}

function literal(): void {
  const previous: u32 = filled == 0 ? 0 : load<u8>(WINDOW + (at == 0 ? windowBytes : at) - 1)
  const place = ((position & lpMask) << lc) + (previous >>> (8 - lc))
  const probs = LITERAL + LITERAL_PROBS * place
  const isMatched = state >= 7
  const matched: u32 = isMatched ? load<u8>(WINDOW + placeOf(rep0)) : 0
  const symbol = literalByte(probs, isMatched, matched)
  store<u8>(WINDOW + at, u8(symbol))
  advance(1)
  state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6
}

function lengthOf(probs: u32, posState: u32): u32 {
  if (bit(probs) == 0) return 2 + tree(probs + 2 + posState * 8, 3)
  if (bit(probs + 1) == 0) return 10 + tree(probs + 2 + 128 + posState * 8, 3)
  return 18 + tree(probs + 2 + 256, 8)
}

function distanceFor(length: u32): u32 {
  const slot = tree(POS_SLOT + min(length - 2, 3) * 64, 6)
  if (slot < 4) return slot
  const bits = (slot >>> 1) - 1
  const base = (2 | (slot & 1)) << bits
  if (slot < 14) return base + reverseTree(POS_SPECIAL + base - slot, bits)
  return base + (directBits(bits - 4) << 4) + reverseTree(ALIGN, 4)
}

function copyMatch(length: u32): void {
  const from = placeOf(rep0)
  if (from + length <= windowBytes && at + length <= windowBytes) {
    const target = WINDOW + at
    const source = WINDOW + from
    if (length >= LONG && rep0 + 1 >= length) memory.copy(target, source, length)
    else for (let done: u32 = 0; done < length; done++) store<u8>(target + done, load<u8>(source + done))
    advance(length)
    return
  }
  let source = from
  let target = at
  for (let left = length; left > 0; left--) {
    store<u8>(WINDOW + target, load<u8>(WINDOW + source))
    source = source + 1 == windowBytes ? 0 : source + 1
    target = target + 1 == windowBytes ? 0 : target + 1
  }
  at = target
  position += length
  filled = min(windowBytes, filled + length)
}

function placeOf(distance: u32): u32 {
  return at > distance ? at - distance - 1 : at + windowBytes - distance - 1
}

function advance(bytes: u32): void {
  at += bytes
  if (at == windowBytes) at = 0
  position += bytes
  filled = min(windowBytes, filled + bytes)
}
