import type {BitReader} from './bit-reader.js'
import {readCodeTable, readSymbol, type CodeTable} from './code-table.js'

const GROUP_SYMBOLS = 50
const [RUN_A, RUN_B] = [0, 1]

/** Working memory for blocks of one size. */
export interface BlockMemory {
  /** The transformed bytes in the low eight bits; above them the links between them. */
  readonly links: Uint32Array
}

/**
 * Decodes one block after its magic (bzip2 1.0.8, `decompress.c`): code tables, move-to-front, the Burrows-Wheeler
 * transform and runs.
 * @throws {EndOfInput} if the input ends before, an Error if the block is damaged
 */
export function decodeBlock(
  bits: BitReader,
  {links}: BlockMemory,
  write: (byte: number, count: number) => void,
): number {
  const checksum = bits.take32()
  if (bits.take(1) === 1)
    throw new Error('the block is randomized, which bzip2 stopped doing with version 0.9.5')
  const start = bits.take(24)
  const length = readTransformed(bits, links)
  if (start >= length) throw new Error('the block starts outside of itself')
  undoTransform(links, length)
  writeRuns(links, {start, length}, write)
  return checksum
}

function readTransformed(bits: BitReader, links: Uint32Array): number {
  const front = readUsedBytes(bits)
  const symbols = front.length + 2
  const tables = bits.take(3)
  const selectorCount = bits.take(15)
  if (tables < 2 || tables > 6 || selectorCount < 1) throw new Error('the code tables are damaged')
  const selectors = readSelectors(bits, {tables, count: selectorCount})
  const codes = Array.from({length: tables}, () => readCodeTable(bits, symbols))
  const end = symbols - 1
  let length = 0
  let group = 0
  let left = 0
  let code: CodeTable | undefined
  let run = 0
  let weight = 1
  const put = (byte: number, count: number): void => {
    if (length + count > links.length) throw new Error('the block is longer than its size')
    links.fill(byte, length, length + count)
    length += count
  }
  for (;;) {
    if (left === 0) {
      code = codes[selectors[group] ?? -1]
      if (code === undefined) throw new Error('the block has more symbols than its tables')
      group += 1
      left = GROUP_SYMBOLS
    }
    left -= 1
    const symbol = readSymbol(bits, code as CodeTable)
    if (symbol === RUN_A || symbol === RUN_B) {
      run += weight * (symbol + 1)
      weight *= 2
      if (run > links.length) throw new Error('the block is longer than its size')
      continue
    }
    if (run > 0) put(front[0] ?? 0, run)
    run = 0
    weight = 1
    if (symbol === end) return length
    const place = symbol - 1
    const byte = front[place] ?? 0
    front.copyWithin(1, 0, place)
    front[0] = byte
    put(byte, 1)
  }
}

function readUsedBytes(bits: BitReader): Uint8Array {
  const ranges = bits.take(16)
  const used: number[] = []
  for (let range = 0; range < 16; range += 1) {
    if ((ranges & (0x8000 >>> range)) === 0) continue
    const inside = bits.take(16)
    for (let low = 0; low < 16; low += 1) if ((inside & (0x8000 >>> low)) !== 0) used.push(range * 16 + low)
  }
  if (used.length === 0) throw new Error('the block uses no bytes')
  return Uint8Array.from(used)
}

function readSelectors(
  bits: BitReader,
  {tables, count}: {readonly tables: number; readonly count: number},
): Uint8Array {
  const front = Uint8Array.from({length: tables}, (_, index) => index)
  const selectors = new Uint8Array(count)
  for (let index = 0; index < count; index += 1) {
    let place = 0
    while (bits.take(1) === 1) {
      place += 1
      if (place >= tables) throw new Error('a selector is damaged')
    }
    const table = front[place] ?? 0
    front.copyWithin(1, 0, place)
    front[0] = table
    selectors[index] = table
  }
  return selectors
}

function undoTransform(links: Uint32Array, length: number): void {
  const starts = new Uint32Array(257)
  for (let index = 0; index < length; index += 1) {
    const next = ((links[index] ?? 0) & 0xff) + 1
    starts[next] = (starts[next] ?? 0) + 1
  }
  for (let byte = 1; byte < 257; byte += 1) starts[byte] = (starts[byte] ?? 0) + (starts[byte - 1] ?? 0)
  for (let index = 0; index < length; index += 1) {
    const byte = (links[index] ?? 0) & 0xff
    const place = starts[byte] ?? 0
    starts[byte] = place + 1
    links[place] = ((links[place] ?? 0) | (index << 8)) >>> 0
  }
}

/** Four equal bytes are followed by the number of further repeats. */
function writeRuns(
  links: Uint32Array,
  {start, length}: {readonly start: number; readonly length: number},
  write: (byte: number, count: number) => void,
): void {
  let at = (links[start] ?? 0) >>> 8
  let last = -1
  let equal = 0
  for (let index = 0; index < length; index += 1) {
    const link = links[at] ?? 0
    const byte = link & 0xff
    at = link >>> 8
    if (equal === 4) {
      if (byte > 0) write(last, byte)
      equal = 0
      last = -1
      continue
    }
    equal = byte === last ? equal + 1 : 1
    last = byte
    write(byte, 1)
  }
}
