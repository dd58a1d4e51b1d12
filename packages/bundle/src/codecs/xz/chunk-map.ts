import type {ByteSource, ReadOptions} from '../../bytes/byte-source.js'
import type {Piece} from '../../bytes/sparse-block.js'
import type {XzBlock} from './block-table.js'
import {checkBytes} from './container.js'
import {isLzma2Alone, LONGEST_BLOCK_HEADER} from './block-header.js'

/**
 * Maps the plain bytes of a block: LZMA2 stores incompressible data as it is, in chunks of at most 64 KiB. A part is a
 * stored chunk or a run of compressed chunks. All offsets are in bytes from the start of the block.
 */
export interface ChunkMap {
  /** The first plain byte of each part, ascending from 0. */
  readonly plainStarts: Uint32Array
  /** The offset of each stored chunk's bytes in the block; 0 for a compressed part. */
  readonly storedAt: Uint32Array
  /** The number of plain bytes in compressed parts before each part. */
  readonly codedBefore: Uint32Array
  readonly plainSize: number
  /** The number of plain bytes in all compressed parts. */
  readonly codedSize: number
}

/** The most chunks of one block: ten times as many as in the biggest block of `xz -9`. */
const MOST_CHUNKS = 32 * 1024
/** A block with this share of compressed bytes or more is better decoded as a whole. */
const MOST_CODED = 0.5
const WINDOW_BYTES = 256 * 1024
/** The longest chunk header without its last byte, the properties, which does not affect sizes. */
const CHUNK_HEADER_BYTES = 5

/**
 * Finds the chunks of a block by reading only their headers. Returns undefined if a map is no use: the block is mostly
 * compressed, has other filters than LZMA2, or contradicts the Index.
 * @throws the errors of reading
 */
export async function mapChunks(
  block: XzBlock,
  packed: ByteSource,
  options: ReadOptions,
): Promise<ChunkMap | undefined> {
  const {packedOffset, unpaddedSize, plainSize, flags} = block
  if (plainSize >= 2 ** 32 || unpaddedSize >= 2 ** 32) return undefined
  const head = await packed.read(packedOffset, Math.min(LONGEST_BLOCK_HEADER, unpaddedSize), options)
  if (!isLzma2Alone(head)) return undefined
  const end = unpaddedSize - checkBytes(flags)
  const parts = partList(plainSize)
  let window: Uint8Array = head
  let windowAt = 0
  for (let at = ((head[0] ?? 0) + 1) * 4; at < end;) {
    const header = Math.min(CHUNK_HEADER_BYTES, end - at)
    if (at < windowAt || at + header > windowAt + window.length) {
      window = await packed.read(packedOffset + at, Math.min(WINDOW_BYTES, end - at), options)
      windowAt = at
    }
    const chunk = chunkAt(window.subarray(at - windowAt, at - windowAt + header))
    if (chunk === 'end') return at + 1 === end ? parts.finish() : undefined
    if (chunk === undefined || !parts.add(chunk, at)) return undefined
    at += chunk.headerBytes + chunk.packedSize
  }
  return undefined
}

/** Returns the piece at `offset`, of one kind and no longer than `most`. */
export function pieceAt(map: ChunkMap, offset: number, most: number): Piece {
  let part = partAt(map, offset)
  const isStored = map.storedAt[part] !== 0
  const position = (map.codedBefore[part] ?? 0) + offset - (map.plainStarts[part] ?? 0)
  if (!isStored) return {kind: 'coded', length: Math.min(most, partEnd(map, part) - offset), position}
  while (partEnd(map, part) - offset < most && (map.storedAt[part + 1] ?? 0) !== 0) part += 1
  return {kind: 'stored', length: Math.min(most, partEnd(map, part) - offset), position: 0}
}

/** Returns the number of coded bytes before the plain byte at `offset`. */
export function codedBefore(map: ChunkMap, offset: number): number {
  if (offset >= map.plainSize) return map.codedSize
  const part = partAt(map, offset)
  const before = map.codedBefore[part] ?? 0
  return map.storedAt[part] === 0 ? before + offset - (map.plainStarts[part] ?? 0) : before
}

/** Returns the index of the part that holds the plain byte at `offset`. */
export function partAt({plainStarts}: ChunkMap, offset: number): number {
  let low = 0
  let high = plainStarts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((plainStarts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}

export function partEnd({plainStarts, plainSize}: ChunkMap, part: number): number {
  return plainStarts[part + 1] ?? plainSize
}

interface Chunk {
  readonly isStored: boolean
  readonly headerBytes: number
  readonly packedSize: number
  readonly plainSize: number
}

/** Decodes an LZMA2 chunk header as liblzma does; undefined if it is invalid. */
function chunkAt(header: Uint8Array): Chunk | 'end' | undefined {
  const [control = 0, first, second, third, fourth] = header
  if (control === 0) return 'end'
  if (first === undefined || second === undefined) return undefined
  const size = first * 256 + second + 1
  if (control <= 2) return {isStored: true, headerBytes: 3, packedSize: size, plainSize: size}
  if (control < 0x80 || third === undefined || fourth === undefined) return undefined
  return {
    isStored: false,
    headerBytes: control >= 0xc0 ? 6 : 5,
    packedSize: third * 256 + fourth + 1,
    plainSize: (control & 0x1f) * 65_536 + size,
  }
}

interface PartList {
  /** Returns false if there are too many chunks, or more bytes than the block holds. */
  readonly add: (chunk: Chunk, at: number) => boolean
  readonly finish: () => ChunkMap | undefined
}

function partList(plainSize: number): PartList {
  const plainStarts: number[] = []
  const storedAt: number[] = []
  const before: number[] = []
  let chunks = 0
  let plain = 0
  let coded = 0
  return {
    add: (chunk, at) => {
      chunks += 1
      if (chunk.isStored || storedAt.at(-1) !== 0) {
        plainStarts.push(plain)
        storedAt.push(chunk.isStored ? at + chunk.headerBytes : 0)
        before.push(coded)
      }
      plain += chunk.plainSize
      if (!chunk.isStored) coded += chunk.plainSize
      return plain <= plainSize && coded <= plainSize * MOST_CODED && chunks <= MOST_CHUNKS
    },
    finish: () =>
      plain === plainSize
        ? {
            plainStarts: Uint32Array.from(plainStarts),
            storedAt: Uint32Array.from(storedAt),
            codedBefore: Uint32Array.from(before),
            plainSize,
            codedSize: coded,
          }
        : undefined,
  }
}
