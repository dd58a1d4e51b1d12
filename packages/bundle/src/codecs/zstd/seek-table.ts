/** Sizes of a frame, packed and plain, in bytes. */
export interface FrameSizes {
  readonly packed: number
  readonly plain: number
}

const SKIPPABLE_MAGIC = 0x184d2a5e
const SEEKABLE_MAGIC = 0x8f92eab1
const ENTRY_BYTES = 8
const FOOTER_BYTES = 9

/**
 * Returns the skippable frame that ends a file of independent frames and lists their sizes (zstd's
 * contrib/seekable_format, version 0.1.0). It has no checksums because the frames have theirs.
 */
export function seekTable(frames: readonly FrameSizes[]): Uint8Array {
  const contentBytes = frames.length * ENTRY_BYTES + FOOTER_BYTES
  const table = Buffer.alloc(8 + contentBytes)
  table.writeUInt32LE(SKIPPABLE_MAGIC, 0)
  table.writeUInt32LE(contentBytes, 4)
  for (const [index, {packed, plain}] of frames.entries()) {
    table.writeUInt32LE(packed, 8 + index * ENTRY_BYTES)
    table.writeUInt32LE(plain, 12 + index * ENTRY_BYTES)
  }
  const footer = table.length - FOOTER_BYTES
  table.writeUInt32LE(frames.length, footer)
  table.writeUInt32LE(SEEKABLE_MAGIC, footer + 5)
  return table
}
