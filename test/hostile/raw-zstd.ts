/** zstd frames (RFC 8878), written by hand: no encoder is needed for plain and repeated bytes. */

export interface FrameOptions {
  /** The frame header's descriptor; default: no content size, no checksum, a window. */
  readonly descriptor?: number
  /** Bytes after the descriptor; default a window of 128 KiB. */
  readonly header?: Uint8Array
}

const MAGIC = Buffer.from('28b52ffd', 'hex')
const BLOCK_BYTES = 128 * 1024
const WINDOW_128_KIB = Buffer.of(7 << 3)

export function zstdFrame(blocks: readonly Buffer[], options: FrameOptions = {}): Buffer {
  return Buffer.concat([
    MAGIC,
    Buffer.of(options.descriptor ?? 0),
    options.header ?? WINDOW_128_KIB,
    ...blocks,
    block({type: 0, size: 0, isLast: true}),
  ])
}

/** Bytes as they are. */
export function rawBlocks(bytes: Uint8Array): readonly Buffer[] {
  const blocks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const part = bytes.subarray(at, at + BLOCK_BYTES)
    blocks.push(block({type: 0, size: part.length}), Buffer.from(part))
  }
  return blocks
}

/** Zeros, 4 bytes for each 128 KiB of them. */
export function zeroBlocks(bytes: number): readonly Buffer[] {
  return Array.from({length: bytes / BLOCK_BYTES}, () =>
    Buffer.concat([block({type: 1, size: BLOCK_BYTES}), Buffer.of(0)]),
  )
}

export function reservedBlock(): Buffer {
  return block({type: 3, size: 1})
}

export function skippableFrame(length: number, content: Uint8Array = Buffer.alloc(0)): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(length)
  return Buffer.concat([Buffer.from('502a4d18', 'hex'), size, content])
}

function block({type, size, isLast = false}: {type: number; size: number; isLast?: boolean}): Buffer {
  const header = Buffer.alloc(3)
  header.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3)
  return header
}
