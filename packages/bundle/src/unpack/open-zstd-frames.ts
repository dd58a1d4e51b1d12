import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import type {ByteSource} from '../bytes/byte-source.js'
import type {PlacedBlock} from '../bytes/placed-block.js'
import type {Usage} from '../bytes/usage.js'
import {zstdDecoder} from '../codecs/zstd/decoder.js'
import type {FrameSizes} from '../codecs/zstd/seek-table.js'
import {openBlocks} from './open-blocks.js'
import type {OpenPackedOptions} from './open-options.js'
import {tooBig} from './open-sequential.js'

/** Returns true if the frames of a seek table are small enough to be held in memory one by one. */
export function canBeFrames(frames: readonly FrameSizes[]): boolean {
  return frames.length > 1 && frames.every(({plain}) => plain <= limits.xzBlockBytes)
}

/**
 * Opens a .zst file whose seek table lists its frames: each is decoded separately, and its size held against the table.
 * @throws {MirrorError} LIMIT_EXCEEDED
 */
export function openZstdFrames(
  packed: ByteSource,
  frames: readonly FrameSizes[],
  options: OpenPackedOptions,
): ByteSource {
  const usage: Usage = {decoded: 0, scratchPeak: 0}
  const blocks: PlacedBlock[] = []
  let size = 0
  let start = 0
  for (const frame of frames) {
    if (frame.plain > 0) blocks.push(frameBlock(packed, frame, {start, offset: size, usage}))
    size += frame.plain
    start += frame.packed
  }
  if (size > (options.maxPlainBytes ?? Infinity)) throw tooBig(packed.name, options.maxPlainBytes ?? 0)
  return openBlocks(packed, {blocks, size, usage}, options)
}

function frameBlock(
  packed: ByteSource,
  frame: FrameSizes,
  {start, offset, usage}: {readonly start: number; readonly offset: number; readonly usage: Usage},
): PlacedBlock {
  const {name} = packed
  return {
    offset,
    order: offset,
    size: frame.plain,
    sparse: undefined,
    decode: async (target, signal, onFilled) => {
      let filled = 0
      const stored = packed.stream(start, frame.packed, {signal})
      for await (const chunk of zstdDecoder().decode(stored, {name, signal})) {
        usage.decoded += chunk.length
        if (filled + chunk.length > frame.plain) throw wrongSize(name, start)
        target.set(chunk, filled)
        filled += chunk.length
        onFilled(filled)
      }
      if (filled !== frame.plain) throw wrongSize(name, start)
    },
  }
}

function wrongSize(name: string, start: number): MirrorError {
  return new MirrorError(
    'SOURCE_CORRUPT',
    `the zstd frame at byte ${start} of ${name} is not as long as the seek table says`,
    {side: 'source', advice: {kind: 'copy-again'}},
  )
}
