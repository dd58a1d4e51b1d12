import {crc32} from 'node:zlib'
import {decodeVli, encodeVli, roundUp4} from './container.js'

export const LONGEST_BLOCK_HEADER = 1024

const LZMA2 = 0x21

interface Filter {
  readonly id: number
  /** The offset of its properties in the header. */
  readonly properties: number
}

/**
 * Returns the size in bytes of the dictionary that a block header asks for; undefined if the decoder will refuse it
 * anyway.
 */
export function dictionaryOf(header: Uint8Array): number | undefined {
  const lzma2 = filtersOf(header)?.find(({id}) => id === LZMA2)
  if (lzma2 === undefined) return undefined
  const bits = header[lzma2.properties] ?? 0
  return bits === 40 ? 2 ** 32 - 1 : (2 + (bits & 1)) * 2 ** (Math.floor(bits / 2) + 11)
}

/** Filters by their numbers (xz-file-format.txt 1.2, 5.3; liblzma's `filter.h`). */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0x03, 'delta'],
  [0x04, 'x86'],
  [0x05, 'PowerPC'],
  [0x06, 'IA-64'],
  [0x07, 'ARM'],
  [0x08, 'ARM-Thumb'],
  [0x09, 'SPARC'],
  [0x0a, 'ARM64'],
  [0x0b, 'RISC-V'],
])

/** The libraries that decode xz, from the fastest to the one that runs everywhere. */
export type XzLibrary = 'node-liblzma' | 'lzma-native' | 'portable'

/** The last filter that each library knows besides LZMA2: liblzma 5.8 without RISC-V's, liblzma 5.2, none. */
const LAST_KNOWN: Readonly<Record<XzLibrary, number>> = {
  'node-liblzma': 0x0a,
  'lzma-native': 0x09,
  portable: 0,
}

/** Returns the name of a filter in a block header that a library does not know; undefined if it knows all. */
export function unknownFilter(header: Uint8Array, library: XzLibrary): string | undefined {
  const unknown = filtersOf(header)?.find(({id}) => id !== LZMA2 && id > LAST_KNOWN[library])
  return unknown === undefined ? undefined : (NAMES.get(unknown.id) ?? `0x${unknown.id.toString(16)}`)
}

/** Returns true if LZMA2 is the block's only filter, so that its output is the block's content. */
export function isLzma2Alone(header: Uint8Array): boolean {
  const filters = filtersOf(header)
  return filters?.length === 1 && filters[0]?.id === LZMA2
}

/** Returns the filters of a block header up to LZMA2, which is always the last (xz-file-format.txt 1.2, 3.1 and 5.3.1). */
function filtersOf(header: Uint8Array): readonly Filter[] | undefined {
  const flags = header[1] ?? 0
  let at = 2
  const next = (): number | undefined => {
    const vli = decodeVli(header, at)
    at = vli?.next ?? at
    return vli?.value
  }
  if ((flags & 0x40) !== 0) next()
  if ((flags & 0x80) !== 0) next()
  const filters: Filter[] = []
  for (let left = flags & 3; left >= 0; left -= 1) {
    const id = next()
    const length = next()
    if (id === undefined || length === undefined) return undefined
    filters.push({id, properties: at})
    if (id === LZMA2) return filters
    at += length
  }
  return filters
}

/**
 * Returns the header of a block whose only filter is LZMA2. It holds both sizes, so that decoders can skip the block and
 * decode blocks in parallel (xz-file-format.txt 1.2, 3.1).
 */
export function lzma2BlockHeader(block: {
  readonly packedSize: number
  readonly plainSize: number
  readonly dictionaryBits: number
}): Buffer {
  const fields = [
    BOTH_SIZES,
    ...encodeVli(block.packedSize),
    ...encodeVli(block.plainSize),
    LZMA2,
    1,
    block.dictionaryBits,
  ]
  const header = Buffer.alloc(roundUp4(1 + fields.length) + 4)
  header[0] = header.length / 4 - 1
  header.set(fields, 1)
  header.writeUInt32LE(crc32(header.subarray(0, -4)), header.length - 4)
  return header
}

const BOTH_SIZES = 0xc0
