import {MirrorError} from '@airgap-mirror/oci-client/model'
import {abortable} from '../../bytes/abortable.js'
import type {ByteSource, ReadOptions} from '../../bytes/byte-source.js'
import type {BlockLayout, SparseBlock} from '../../bytes/sparse-block.js'
import type {XzBlock} from './block-table.js'
import {codedBefore, mapChunks, pieceAt, type ChunkMap} from './chunk-map.js'
import {decodeBlock, type DecodeBlockOptions} from './decode-block.js'
import {storedBytes} from './stored-bytes.js'

/** A block below this packed share stores few chunks, so they are not mapped. */
const WORTH_A_LOOK = 0.5
/** The most maps kept, at some 10 KiB each for blocks of 24 MiB. */
const MAPS_KEPT = 500

export type ChunkMaps = (block: XzBlock, options: ReadOptions) => Promise<ChunkMap | undefined>

/** Returns the maps of a file's blocks, each made once; the last used are kept. */
export function chunkMaps(packed: ByteSource): ChunkMaps {
  const kept = new Map<XzBlock, Promise<ChunkMap | undefined>>()
  const make = async (block: XzBlock): Promise<ChunkMap | undefined> => {
    try {
      // Without a signal, because a map is shared by all its readers and one of them may leave.
      return await mapChunks(block, packed, {})
    } catch (error) {
      kept.delete(block)
      throw error
    }
  }
  return async (block, {signal}) => {
    const map = kept.get(block) ?? make(block)
    kept.delete(block)
    kept.set(block, map)
    const [oldest] = kept.keys()
    if (kept.size > MAPS_KEPT && oldest !== undefined) kept.delete(oldest)
    return abortable(map, signal)
  }
}

export interface SparseBlockOptions extends Omit<DecodeBlockOptions, 'onPlain' | 'signal'> {
  readonly maps: ChunkMaps
}

/** Returns undefined if the block's sizes show that little of it is stored. */
export function sparseBlock(block: XzBlock, options: SparseBlockOptions): SparseBlock | undefined {
  if (block.unpaddedSize < block.plainSize * WORTH_A_LOOK) return undefined
  const {packed, maps} = options
  let codedSize = 0
  return {
    layout: async ({signal}) => {
      const map = await maps(block, {signal})
      codedSize = map?.codedSize ?? 0
      return map === undefined ? undefined : layoutOf(map, {packed, start: block.packedOffset})
    },
    coded: {
      get size() {
        return codedSize
      },
      order: block.plainOffset,
      decode: async (target, signal, onFilled) => {
        const map = await maps(block, {signal})
        if (map?.codedSize !== target.length) {
          throw new MirrorError('SOURCE_CORRUPT', `${packed.name} changed while it was read`, {
            side: 'source',
          })
        }
        await decodeBlock(block, {
          ...options,
          signal,
          onPlain: (chunk, offset) => {
            keepCoded(map, target, {chunk, offset})
            onFilled(codedBefore(map, offset + chunk.length))
          },
        })
      },
    },
  }
}

function layoutOf(
  map: ChunkMap,
  {packed, start}: {readonly packed: ByteSource; readonly start: number},
): BlockLayout {
  return {
    pieceAt: (offset, most) => pieceAt(map, offset, most),
    codedBefore: (offset) => codedBefore(map, offset),
    streamStored: (offset, length, options) =>
      storedBytes(map, {packed, start, from: offset, to: offset + length}, options),
  }
}

function keepCoded(
  map: ChunkMap,
  target: Uint8Array,
  {chunk, offset}: {readonly chunk: Uint8Array; readonly offset: number},
): void {
  for (let done = 0; done < chunk.length;) {
    const {kind, length, position} = pieceAt(map, offset + done, chunk.length - done)
    if (kind === 'coded') target.set(chunk.subarray(done, done + length), position)
    done += length
  }
}
