/** A tar header block, decoded but not validated. Sizes in bytes. */
export interface TarHeader {
  readonly path: string
  readonly linkPath: string
  /** The type in the notation of POSIX and GNU, one character; NUL (V7) is given as `0`. */
  readonly type: string
  readonly size: number
  /** The whole block, for members of type `S`: it holds the map of a sparse file. */
  readonly block: Uint8Array | undefined
}

/** Bytes of a header, and of the units in which content is stored. */
export const BLOCK_BYTES = 512

export function roundUpToBlock(size: number): number {
  return Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES
}

/** Returns the number of bytes that pad a file of `size` bytes to whole blocks. */
export function tarPadding(size: number): number {
  return roundUpToBlock(size) - size
}

/** POSIX magic: only with it is there a prefix. GNU's magic has two spaces and other fields there. */
const USTAR = Buffer.from('ustar\0', 'latin1')

/**
 * Decodes 512 bytes (POSIX pax, ustar Interchange Format; GNU tar's `star.h` for base-256 numbers).
 * @returns undefined if the checksum is wrong or a number malformed
 */
export function decodeHeader(block: Uint8Array): TarHeader | undefined {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length)
  if (bytes.length < BLOCK_BYTES || !hasRightChecksum(bytes)) return undefined
  const size = decodeNumber(bytes.subarray(124, 136))
  if (size === undefined) return undefined
  const prefix = bytes.subarray(257, 263).equals(USTAR) ? decodeText(bytes.subarray(345, 500)) : ''
  const name = decodeText(bytes.subarray(0, 100))
  const type = bytes.toString('latin1', 156, 157)
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    linkPath: decodeText(bytes.subarray(157, 257)),
    type: type === '\0' ? '0' : type,
    size,
    block: type === 'S' ? new Uint8Array(block) : undefined,
  }
}

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0)
}

/** Text up to the first NUL, in UTF-8. */
export function decodeText(field: Buffer): string {
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? field.length : end)
}

/** Decodes octal digits between spaces and NULs, or GNU's base-256; undefined if it is neither, negative, or over 2^53. */
export function decodeNumber(field: Buffer): number | undefined {
  const first = field[0] ?? 0
  if (first < 0x80) {
    const digits = /^ *([0-7]*)[ \0]*$/.exec(field.toString('latin1'))?.[1]
    return digits === undefined ? undefined : Number.parseInt(digits === '' ? '0' : digits, 8)
  }
  if (first !== 0x80) return undefined
  let value = 0
  for (const byte of field.subarray(1)) value = value * 256 + byte
  return Number.isSafeInteger(value) ? value : undefined
}

/** Compares the sum of all bytes, the checksum's own eight taken as spaces; old tars added signed bytes. */
function hasRightChecksum(bytes: Buffer): boolean {
  const stated = decodeNumber(bytes.subarray(148, 156))
  let unsigned = 8 * 0x20
  let signed = 8 * 0x20
  for (let index = 0; index < BLOCK_BYTES; index += 1) {
    if (index >= 148 && index < 156) continue
    const byte = bytes[index] ?? 0
    unsigned += byte
    signed += byte < 0x80 ? byte : byte - 0x100
  }
  return stated === unsigned || stated === signed
}
