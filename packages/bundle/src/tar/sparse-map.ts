import {limits} from '@airgap-mirror/oci-client/model'
import {BLOCK_BYTES, decodeNumber} from './header.js'
import type {Segment} from './tar-entry.js'

const MOST_SEGMENTS = limits.sparseParts
const PAIR_BYTES = 24

/** The stored parts of a sparse member. */
export interface SparseMap {
  readonly segments: readonly Segment[]
  /** Size of the file with its holes. */
  readonly size: number
}

/** A part of the map in GNU's old format: pairs of offset and length, and whether another block follows. */
export interface GnuPairs {
  readonly numbers: readonly number[]
  readonly isContinued: boolean
}

/**
 * Decodes the pairs and the file's size in the header of a member of type `S` (GNU tar's `tar.h`, struct oldgnu_header).
 * @returns undefined if a number is malformed
 */
export function decodeOldGnuHeader(block: Uint8Array): (GnuPairs & {readonly size: number}) | undefined {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length)
  const size = decodeNumber(bytes.subarray(483, 495))
  const numbers = pairsIn(bytes.subarray(386, 386 + 4 * PAIR_BYTES))
  return size === undefined || numbers === undefined
    ? undefined
    : {numbers, isContinued: bytes[482] !== 0, size}
}

/** Decodes the pairs of a block that follows such a header (struct sparse_header). */
export function decodeOldGnuBlock(block: Uint8Array): GnuPairs | undefined {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length)
  const numbers = pairsIn(bytes.subarray(0, 21 * PAIR_BYTES))
  return numbers === undefined ? undefined : {numbers, isContinued: bytes[504] !== 0}
}

function pairsIn(bytes: Buffer): number[] | undefined {
  const numbers: number[] = []
  for (let at = 0; at < bytes.length; at += PAIR_BYTES) {
    if (bytes[at] === 0) return numbers
    const offset = decodeNumber(bytes.subarray(at, at + 12))
    const length = decodeNumber(bytes.subarray(at + 12, at + PAIR_BYTES))
    if (offset === undefined || length === undefined) return undefined
    numbers.push(offset, length)
  }
  return numbers
}

/**
 * Reads the map at the start of a member of pax format 1.0: a count, then an offset and a length each, one number per
 * line.
 * @returns its numbers and its length in whole blocks; undefined if it is malformed
 */
export async function readPaxMap(
  read: (from: number, length: number) => Promise<Uint8Array>,
  stored: number,
): Promise<{readonly numbers: readonly number[]; readonly bytes: number} | undefined> {
  const numbers: number[] = []
  let rest = ''
  for (let at = 0; at + BLOCK_BYTES <= stored; at += BLOCK_BYTES) {
    const lines = (rest + Buffer.from(await read(at, BLOCK_BYTES)).toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!/^[0-9]{1,16}$/.test(line)) return undefined
      numbers.push(Number(line))
      const [count = 0] = numbers
      if (count > MOST_SEGMENTS) return undefined
      if (numbers.length === 1 + 2 * count) return {numbers: numbers.slice(1), bytes: at + BLOCK_BYTES}
    }
    if (rest.length > 16) return undefined
  }
  return undefined
}

/**
 * Lays out the stored parts of a sparse file one after another.
 * @returns undefined if they overlap, exceed the file, or exceed the stored size
 */
export function sparseMap(
  numbers: readonly number[],
  {offset, stored, size}: {readonly offset: number; readonly stored: number; readonly size: number},
): SparseMap | undefined {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * MOST_SEGMENTS) return undefined
  const segments: Segment[] = []
  let end = 0
  let used = 0
  for (let index = 0; index < numbers.length; index += 2) {
    const at = numbers[index] ?? 0
    const length = numbers[index + 1] ?? 0
    if (at < end || at + length > size || used + length > stored) return undefined
    // Writers end a map with an empty part that gives the file's length.
    if (length > 0) segments.push({at, offset: offset + used, length})
    end = at + length
    used += length
  }
  return {segments, size}
}
