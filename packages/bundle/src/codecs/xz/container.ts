import {crc32} from 'node:zlib'

/** Sizes of the .xz container, in bytes (xz-file-format.txt 1.2, sections 2.1.1 and 2.1.2). */
export const STREAM_HEADER_BYTES = 12
export const STREAM_FOOTER_BYTES = 12

const HEADER_MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])
const FOOTER_MAGIC = Buffer.from('YZ', 'latin1')

export function roundUp4(size: number): number {
  return Math.ceil(size / 4) * 4
}

/** Returns the size of the check that ends a block, by its id (2.1.1.2). */
export function checkBytes(flags: number): number {
  return flags === 0 ? 0 : 2 ** (Math.floor((flags - 1) / 3) + 2)
}

/** Returns the stream flags (two bytes as one number: the check's id) of a stream header; undefined if it is invalid. */
export function parseStreamHeader(bytes: Buffer): number | undefined {
  if (bytes.length < STREAM_HEADER_BYTES || !bytes.subarray(0, 6).equals(HEADER_MAGIC)) return undefined
  if (crc32(bytes.subarray(6, 8)) !== bytes.readUInt32LE(8)) return undefined
  return flagsOf(bytes.subarray(6, 8))
}

/** Returns the flags of a stream footer and the size of the Index before it; undefined if it is invalid. */
export function parseStreamFooter(bytes: Buffer): {flags: number; indexBytes: number} | undefined {
  if (bytes.length < STREAM_FOOTER_BYTES || !bytes.subarray(10, 12).equals(FOOTER_MAGIC)) return undefined
  if (crc32(bytes.subarray(4, 10)) !== bytes.readUInt32LE(0)) return undefined
  const flags = flagsOf(bytes.subarray(8, 10))
  return flags === undefined ? undefined : {flags, indexBytes: (bytes.readUInt32LE(4) + 1) * 4}
}

export function streamHeader(flags: number): Buffer {
  const bytes = Buffer.alloc(STREAM_HEADER_BYTES)
  HEADER_MAGIC.copy(bytes)
  bytes[7] = flags
  bytes.writeUInt32LE(crc32(bytes.subarray(6, 8)), 8)
  return bytes
}

/** The sizes of a block in its stream's Index, in bytes; `unpaddedSize` is header, data and check. */
export interface IndexRecord {
  readonly unpaddedSize: number
  readonly plainSize: number
}

/** Returns the Index and footer that end a stream of one block. */
export function oneBlockTail(block: IndexRecord & {readonly flags: number}): Buffer {
  return streamTail(block.flags, [block])
}

/** Returns the Index of a stream's blocks and the footer after it. */
export function streamTail(flags: number, records: readonly IndexRecord[]): Buffer {
  const body = [0, ...encodeVli(records.length)]
  for (const {unpaddedSize, plainSize} of records)
    body.push(...encodeVli(unpaddedSize), ...encodeVli(plainSize))
  const index = Buffer.alloc(roundUp4(body.length) + 4)
  index.set(body)
  index.writeUInt32LE(crc32(index.subarray(0, -4)), index.length - 4)
  const footer = Buffer.alloc(STREAM_FOOTER_BYTES)
  footer.writeUInt32LE(index.length / 4 - 1, 4)
  footer[9] = flags
  FOOTER_MAGIC.copy(footer, 10)
  footer.writeUInt32LE(crc32(footer.subarray(4, 10)), 0)
  return Buffer.concat([index, footer])
}

/** Decodes a variable-length integer at `offset`; undefined if it is malformed or over 2^53. */
export function decodeVli(bytes: Uint8Array, offset: number): {value: number; next: number} | undefined {
  let value = 0
  for (let length = 0; length < 9; length += 1) {
    const byte = bytes[offset + length]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * length)
    if (byte < 0x80) {
      const valid = Number.isSafeInteger(value) && (byte !== 0 || length === 0)
      return valid ? {value, next: offset + length + 1} : undefined
    }
  }
  return undefined
}

export function encodeVli(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return [...bytes, rest]
}

function flagsOf(bytes: Buffer): number | undefined {
  const [first, second] = bytes
  return first === 0 && second !== undefined && second < 16 ? second : undefined
}
