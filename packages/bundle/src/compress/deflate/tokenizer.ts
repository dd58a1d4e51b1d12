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
  readonly runs: Uint32Array
  readonly matches: Uint32Array
  readonly literalFrequencies: Uint32Array
  readonly distanceFrequencies: Uint32Array
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
    runs: new Uint32Array(tokensPerBlock),
    matches: new Uint32Array(tokensPerBlock),
    literalFrequencies: new Uint32Array(literalSymbols),
    distanceFrequencies: new Uint32Array(distanceSymbols),
    count: 0,
    tail: 0,
  }
  return {
    tokens,
    reset: () => void places.fill(-farthestMatch - 1),
    tokenize: (plain, start) => tokenize(plain, start, {places, tokens}),
  }
}

const tokenize = (
  plain: Uint8Array,
  start: number,
  {places, tokens}: {readonly places: Int32Array; readonly tokens: Tokens},
): number => {
  const {runs, matches, literalFrequencies, distanceFrequencies} = tokens
  literalFrequencies.fill(0)
  distanceFrequencies.fill(0)
  literalFrequencies[endOfBlock] = 1
  const view = new DataView(plain.buffer, plain.byteOffset, plain.length)
  const end = plain.length
  const stop = Math.min(end, start + bytesPerBlock)
  // Four bytes are read at a position and at the one after it.
  const last = Math.min(stop, end - shortestMatch - 1)
  let at = start
  let count = 0
  let run = 0
  while (at < last && count < tokensPerBlock) {
    const bucket = bucketOf(view, at)
    const newest = places[bucket] as number
    const older = places[bucket + 1] as number
    places[bucket + 1] = newest
    places[bucket] = at
    let length = longerMatch(view, newest, at, 0)
    let from = newest
    if (length < goodMatch) {
      const other = longerMatch(view, older, at, length)
      if (other > length) {
        length = other
        from = older
      }
    }
    if (length === 0) {
      let stride = Math.min(last - at, 1 + (run >>> strideShift))
      run += stride
      for (; stride > 0; stride--) increment(literalFrequencies, plain[at++] as number)
      continue
    }
    if (length < goodMatch && at + 1 < last) {
      const next = at + 1
      const nextBucket = bucketOf(view, next)
      const nextNewest = places[nextBucket] as number
      const nextOlder = places[nextBucket + 1] as number
      const first = longerMatch(view, nextNewest, next, length)
      const second = longerMatch(view, nextOlder, next, first)
      if (second > length) {
        increment(literalFrequencies, plain[at] as number)
        run++
        at = next
        places[nextBucket + 1] = nextNewest
        places[nextBucket] = at
        from = second > first ? nextOlder : nextNewest
        length = second
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
      const skipped = bucketOf(view, at)
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

const increment = (frequencies: Uint32Array, symbol: number): void => {
  frequencies[symbol] = (frequencies[symbol] as number) + 1
}

const bucketOf = (view: DataView, at: number): number =>
  (Math.imul(view.getInt32(at, true), 0x9e3779b1) >>> (32 - hashBits)) << 1

/** The length of the match with an earlier place, where it is above `best`; otherwise `best`. */
const longerMatch = (view: DataView, earlier: number, at: number, best: number): number => {
  if (at - earlier > farthestMatch || at + best >= view.byteLength) return best
  if (view.getInt32(earlier, true) !== view.getInt32(at, true)) return best
  // A longer one has to agree in the bytes that end just past the best.
  const tail = best - shortestMatch + 1
  if (best > 0 && view.getInt32(earlier + tail, true) !== view.getInt32(at + tail, true)) return best
  return Math.max(best, matchLength(view, earlier, at))
}

/** Both places are known to agree in four bytes. */
const matchLength = (view: DataView, earlier: number, at: number): number => {
  const stop = Math.min(view.byteLength, at + longestMatch)
  let back = earlier + shortestMatch
  let here = at + shortestMatch
  for (; here + 4 <= stop; here += 4, back += 4) {
    const difference = view.getInt32(here, true) ^ view.getInt32(back, true)
    if (difference !== 0) return here - at + ((31 - Math.clz32(difference & -difference)) >>> 3)
  }
  for (; here < stop && view.getUint8(here) === view.getUint8(back); here++, back++);
  return here - at
}

export const distanceSymbol = (distance: number): number => {
  const below = distance - 1
  if (below < 2) return below
  const high = 31 - Math.clz32(below)
  return 2 * high + ((below >>> (high - 1)) & 1)
}
