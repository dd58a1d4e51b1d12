import {FrameCutter} from './frame-cutter.js'
import {loadWasmZstd} from './wasm-zstd.js'

const BLOCK_BYTES = 128 * 1024
/** A block with its header; a frame's header is shorter. */
const INPUT_BYTES = BLOCK_BYTES + 3
/** No call gives more than a block; the room is twice that, so that no input is left over. */
const OUTPUT_BYTES = 2 * BLOCK_BYTES
/** A frame of one byte, 'A'. */
const PROBE = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 9, 0, 0, 0x41])

export interface FrameDecoder {
  push(input: Uint8Array): void
  /** @throws if the frame is not complete */
  endFrame(): void
}

/**
 * Returns a decoder of frames whose structure was checked. The library does not report errors of a stream. But a damaged
 * block gives no bytes, and a stream whose checksum was wrong does not take another frame.
 */
export async function openWasmDecoder(onOutput: (bytes: Uint8Array) => void): Promise<FrameDecoder> {
  const {memory, library, stream} = await loadWasmZstd()
  const from = library.malloc(INPUT_BYTES)
  const to = library.malloc(OUTPUT_BYTES)
  if (from === 0 || to === 0) throw new Error('no memory for the zstd decoder')
  const cutter = new FrameCutter()

  function decode(bytes: Uint8Array): number {
    if (bytes.length > INPUT_BYTES) throw new Error('the block is too large')
    memory().set(bytes, from)
    return stream.decompressChunk(to, OUTPUT_BYTES, from, bytes.length)
  }

  return {
    push: (input) => {
      for (const {bytes, hasContent} of cutter.push(input)) {
        const size = decode(bytes)
        if (hasContent && size === 0) throw new Error('the block is damaged')
        if (size > 0) onOutput(memory().slice(to, to + size))
      }
    },
    endFrame: () => {
      if (!cutter.endFrame()) throw new Error('the frame is not complete')
      if (decode(PROBE) !== 1 || memory()[to] !== PROBE.at(-1)) throw new Error('the frame is damaged')
    },
  }
}
