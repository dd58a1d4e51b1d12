import {limits} from '@airgap-mirror/oci-client/model'

/** Sizes of a frame, packed and plain, in bytes. */
export interface FrameSizes {
  readonly packed: number
  readonly plain: number
}

const SKIPPABLE_MAGIC = 0x184d2a5e
const SEEKABLE_MAGIC = 0x8f92eab1
const ENTRY_BYTES = 8
const FOOTER_BYTES = 9
/** In the footer's descriptor: each entry ends with a checksum of its frame. */
const CHECKSUM_FLAG = 0x80

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

/**
 * Returns the sizes in the seek table at the end of a file; undefined if there is none, or if it does not fit the file.
 * @param read returns up to `length` bytes at an offset
 */
export async function readSeekTable(
  size: number,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<readonly FrameSizes[] | undefined> {
  if (size < 8 + FOOTER_BYTES) return undefined
  const footer = Buffer.from(await read(size - FOOTER_BYTES, FOOTER_BYTES))
  if (footer.readUInt32LE(5) !== SEEKABLE_MAGIC) return undefined
  const count = footer.readUInt32LE(0)
  const entryBytes = (footer[4] ?? 0) >= CHECKSUM_FLAG ? ENTRY_BYTES + 4 : ENTRY_BYTES
  const tableBytes = count * entryBytes
  const start = size - FOOTER_BYTES - tableBytes - 8
  if (count > limits.zstdFrames || start < 0) return undefined
  const table = Buffer.from(await read(start, 8 + tableBytes))
  if (table.length < 8 + tableBytes || table.readUInt32LE(0) !== SKIPPABLE_MAGIC) return undefined
  const frames = Array.from({length: count}, (_, index) => ({
    packed: table.readUInt32LE(8 + index * entryBytes),
    plain: table.readUInt32LE(12 + index * entryBytes),
  }))
  return frames.reduce((sum, frame) => sum + frame.packed, 0) === start ? frames : undefined
}
