import {
  distanceSymbols,
  endOfBlock,
  farthestMatch,
  firstLength,
  literalSymbols,
  longestMatch,
  shortestMatch,
  slotOfLength,
} from './symbols.js'

const hashBits = 16
/** A block of tokens ends here, so that its code fits its content. */
const tokensPerBlock = 16_384
const bytesPerBlock = 128 * 1024
/** A match this long is taken without a look at the next position. */
const goodMatch = 32
/** After 2^8 literals in a row the search strides, since content that is already compressed has no matches to find. */
const strideShift = 8

/** What one deflate block holds. Token i is `runs[i]` literals, then a match of `distance << 9 | length`. */
export interface Tokens {
  readonly runs: Int32Array
  readonly matches: Int32Array
  readonly literalFrequencies: Int32Array
  readonly distanceFrequencies: Int32Array
  count: number
  /** Literals after the last match. */
  tail: number
}

export interface Tokenizer {
  readonly tokens: Tokens
  /** Forgets all earlier input: what comes does not depend on it. */
  reset(): void
  /** Fills `tokens` with what stands at `start`, and returns where they end. */
  tokenize(plain: Uint8Array, start: number): number
}

/**
 * Finds repeats of four bytes and more through a table of the two latest places for each hash, and prefers a longer
 * match one byte on (RFC 1951, 4). Integers only, so every engine finds the same. The casts stand where an index is
 * in bounds by construction: a check would cost a tenth of the speed.
 */
export const createTokenizer = (): Tokenizer => {
  const places = new Int32Array(2 << hashBits)
  const tokens: Tokens = {
    runs: new Int32Array(tokensPerBlock),
    matches: new Int32Array(tokensPerBlock),
    literalFrequencies: new Int32Array(literalSymbols),
    distanceFrequencies: new Int32Array(distanceSymbols),
    count: 0,
    tail: 0,
  }
  return {
    tokens,
    reset: () => void places.fill(-farthestMatch - 1),
    tokenize: (plain, start) => {
      const view = new DataView(plain.buffer, plain.byteOffset, plain.length)
      return tokenize(plain, start, {places, tokens, view})
    },
  }
}

interface Search {
  readonly places: Int32Array
  readonly tokens: Tokens
  readonly view: DataView
}

const tokenize = (plain: Uint8Array, start: number, {places, tokens, view}: Search): number => {
  const {runs, matches, literalFrequencies, distanceFrequencies} = tokens
  literalFrequencies.fill(0)
  distanceFrequencies.fill(0)
  literalFrequencies[endOfBlock] = 1
  const end = plain.length
  const stop = Math.min(end, start + bytesPerBlock)
  // Four bytes are read at a position and at the one after it.
  const last = Math.min(stop, end - shortestMatch - 1)
  let at = start
  let count = 0
  let run = 0
  while (at < last && count < tokensPerBlock) {
    const word = view.getInt32(at, true)
    const bucket = bucketOf(word)
    const newest = places[bucket] as number
    const older = places[bucket + 1] as number
    places[bucket + 1] = newest
    places[bucket] = at
    let length = 0
    let from = newest
    if (isNear(newest, at)) {
      if (view.getInt32(newest, true) === word) length = matchLength(view, newest, at, end)
      if (length < goodMatch && isNear(older, at) && view.getInt32(older, true) === word) {
        const other = matchLength(view, older, at, end)
        if (other > length) {
          length = other
          from = older
        }
      }
    }
    if (length === 0) {
      let stride = Math.min(last - at, 1 + (run >>> strideShift))
      run += stride
      for (; stride > 0; stride--) increment(literalFrequencies, plain[at++] as number)
      continue
    }
    // Longer than to the very end it cannot get.
    if (length < goodMatch && at + length + 1 < end && at + 1 < last) {
      const next = at + 1
      const nextWord = view.getInt32(next, true)
      const nextBucket = bucketOf(nextWord)
      const nextNewest = places[nextBucket] as number
      const nextOlder = places[nextBucket + 1] as number
      // A longer match agrees in its last four bytes too, which lie one past the end of this one.
      const last4 = length - 3
      const tail = view.getInt32(next + last4, true)
      let best = length
      if (isNear(nextNewest, next)) {
        if (
          view.getInt32(nextNewest, true) === nextWord &&
          view.getInt32(nextNewest + last4, true) === tail
        ) {
          const other = matchLength(view, nextNewest, next, end)
          if (other > best) {
            best = other
            from = nextNewest
          }
        }
        if (
          isNear(nextOlder, next) &&
          view.getInt32(nextOlder, true) === nextWord &&
          view.getInt32(nextOlder + last4, true) === tail
        ) {
          const other = matchLength(view, nextOlder, next, end)
          if (other > best) {
            best = other
            from = nextOlder
          }
        }
      }
      if (best > length) {
        increment(literalFrequencies, plain[at] as number)
        run++
        at = next
        places[nextBucket + 1] = nextNewest
        places[nextBucket] = at
        length = best
      }
    }
    runs[count] = run
    matches[count] = ((at - from) << 9) | length
    count++
    run = 0
    increment(literalFrequencies, firstLength + (slotOfLength[length] as number))
    increment(distanceFrequencies, distanceSymbol(at - from))
    const after = at + length
    const known = Math.min(after, last)
    for (at++; at < known; at++) {
      const skipped = bucketOf(view.getInt32(at, true))
      places[skipped + 1] = places[skipped] as number
      places[skipped] = at
    }
    at = after
  }
  if (count < tokensPerBlock) {
    for (; at < stop; at++, run++) increment(literalFrequencies, plain[at] as number)
  }
  tokens.count = count
  tokens.tail = run
  return at
}

const increment = (frequencies: Int32Array, symbol: number): void => {
  frequencies[symbol] = (frequencies[symbol] as number) + 1
}

const bucketOf = (word: number): number => (Math.imul(word, 0x9e3779b1) >>> (32 - hashBits)) << 1

const isNear = (earlier: number, at: number): boolean => at - earlier <= farthestMatch

/** Both places are known to agree in four bytes. Called for every repeat, so the arguments are no object. */
const matchLength = (view: DataView, earlier: number, at: number, end: number): number => {
  const stop = Math.min(end, at + longestMatch)
  let back = earlier + shortestMatch
  let here = at + shortestMatch
  for (; here + 4 <= stop; here += 4, back += 4) {
    const difference = view.getInt32(here, true) ^ view.getInt32(back, true)
    if (difference !== 0) return here - at + ((31 - Math.clz32(difference & -difference)) >>> 3)
  }
  for (; here < stop && view.getUint8(here) === view.getUint8(back); here++, back++);
  return here - at
}

const distanceSymbol = (distance: number): number => {
  const below = distance - 1
  if (below < 2) return below
  const high = 31 - Math.clz32(below)
  return 2 * high + ((below >>> (high - 1)) & 1)
}
