/** A member, written as it stands here whatever it means. */
export interface RawMember {
  readonly path: string
  readonly content?: Uint8Array | string
  /** A character; default `0`, a file. */
  readonly type?: string
  readonly link?: string
  /** The size field: a number in octal, or its twelve bytes. Default the length of the content. */
  readonly size?: number | Uint8Array | string
  /** Added to the right checksum. */
  readonly checksumOff?: number
  /** Adds signed bytes, as some old tars did. */
  readonly signedChecksum?: boolean
}

const BLOCK = 512

/** Header and content of one member, padded to whole blocks. */
export function member(fields: RawMember): Buffer {
  const content = Buffer.from(fields.content ?? '')
  return Buffer.concat([header(fields, content.length), content, padding(content.length)])
}

export function members(list: readonly RawMember[]): Buffer {
  return Buffer.concat(list.map((one) => member(one)))
}

export const TRAILER = Buffer.alloc(2 * BLOCK)

/** A whole archive. */
export function tar(list: readonly RawMember[]): Buffer {
  return Buffer.concat([members(list), TRAILER])
}

/** A size as GNU tar writes those over 8 GiB; its first byte has the top bit set. */
export function base256(value: bigint, first = 0x80): Buffer {
  const field = Buffer.alloc(12)
  for (let at = 11, rest = value; at > 0; at -= 1, rest >>= 8n) field[at] = Number(rest & 0xffn)
  field[0] = first
  return field
}

/** A pax extension header with right record lengths; `type` `g` for all members that follow. */
export function pax(records: Readonly<Record<string, string>>, type = 'x'): RawMember {
  return {
    path: 'PaxHeader',
    type,
    content: Object.entries(records)
      .map(([key, value]) => paxRecord(key, value))
      .join(''),
  }
}

export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = Buffer.byteLength(rest)
  while (String(length).length + Buffer.byteLength(rest) !== length) length += 1
  return `${length}${rest}`
}

/** GNU's long name (`L`) or long link name (`K`) for the member after it. */
export function longName(name: string, type = 'L'): RawMember {
  return {
    path: '././@LongLink',
    type,
    content: `${name}\0`,
  }
}

/** Puts right the checksum of a header at `at`, as somebody would who changes an archive on purpose. */
export function repairChecksum(archive: Buffer, at: number): void {
  const block = archive.subarray(at, at + BLOCK)
  if (block.length < BLOCK) return
  block.write('        ', 148, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}

function header(fields: RawMember, length: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  const path = Buffer.from(fields.path)
  path.copy(block, 0, 0, 100)
  block.write('0000644\0', 100)
  sizeField(fields.size ?? length).copy(block, 124, 0, 12)
  block.write('00000000000\0', 136)
  block.write('        ', 148)
  block.write(fields.type ?? '0', 156, 1, 'latin1')
  Buffer.from(fields.link ?? '').copy(block, 157, 0, 100)
  block.write('ustar\x0000', 257, 8, 'latin1')
  const weigh = (byte: number): number => (fields.signedChecksum === true && byte > 127 ? byte - 256 : byte)
  const sum = block.reduce((total, byte) => total + weigh(byte), 0) + (fields.checksumOff ?? 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function sizeField(size: number | Uint8Array | string): Buffer {
  return typeof size === 'number' ? Buffer.from(`${size.toString(8).padStart(11, '0')}\0`) : Buffer.from(size)
}

function padding(length: number): Buffer {
  return Buffer.alloc((BLOCK - (length % BLOCK)) % BLOCK)
}
