import {crc32} from 'node:zlib'
import {compress} from '@airgap-mirror/test/kit'

/** The .xz container (xz-file-format.txt 1.2), written by hand so that it can lie. */

/** A block as it lies in the file, and what a true Index says about it. */
export interface XzBlock {
  /** Header and data; the check is none. */
  readonly bytes: Buffer
  readonly plainSize: number
}

interface XzRecord {
  readonly unpadded: bigint
  readonly plain: bigint
}

export interface StreamOptions {
  /** Instead of the true records. */
  readonly records?: readonly XzRecord[]
  /** The count that the Index states; default the number of records. */
  readonly count?: bigint
  /** The bytes of the records as they are, after the count. */
  readonly rawRecords?: Uint8Array
  /** False size of the Index in the footer, in bytes. */
  readonly indexBytes?: number
  /** The second byte of the stream flags in the footer; default as in the header: no check. */
  readonly footerFlags?: number
}

/** LZMA2 chunks that are not compressed: any bytes, without an encoder. */
export function storedBlock(plain: Uint8Array, options: {readonly dictionary?: number} = {}): XzBlock {
  const chunks: Buffer[] = []
  for (let at = 0; at < plain.length; at += 0x1_0000) {
    const part = plain.subarray(at, at + 0x1_0000)
    const head = Buffer.from([at === 0 ? 1 : 2, 0, 0])
    head.writeUInt16BE(part.length - 1, 1)
    chunks.push(head, Buffer.from(part))
  }
  const data = Buffer.concat([...chunks, Buffer.of(0)])
  return {bytes: Buffer.concat([blockHeader(options.dictionary ?? 0), data]), plainSize: plain.length}
}

/** Zeros of which 16 MiB are packed once: a chunk that resets the dictionary may be repeated. */
export async function zeroBlock(
  sixteens: number,
  options: {readonly before?: Uint8Array; readonly dictionary?: number} = {},
): Promise<XzBlock> {
  const unit = 16 * 1024 * 1024
  const stream = await compress(Buffer.alloc(unit), {type: 'xz', preset: 0, check: 'CHECK_NONE'})
  const headerBytes = ((stream[12] ?? 0) + 1) * 4
  const indexBytes = (stream.readUInt32LE(stream.length - 8) + 1) * 4
  const index = stream.subarray(stream.length - 12 - indexBytes)
  const [unpadded = 0] = vlis(index.subarray(2))
  const data = stream.subarray(12 + headerBytes, 12 + unpadded - 1)
  const before = storedBlock(options.before ?? Buffer.alloc(0)).bytes.subarray(HEADER_BYTES, -1)
  return {
    bytes: Buffer.concat([
      blockHeader(options.dictionary ?? 18),
      before,
      ...Array.from({length: sixteens}, () => data),
      Buffer.of(0),
    ]),
    plainSize: (options.before?.length ?? 0) + sixteens * unit,
  }
}

/** A whole stream of these blocks, with an Index and a footer that are true unless told otherwise. */
export function xzStream(blocks: readonly XzBlock[], options: StreamOptions = {}): Buffer {
  const records =
    options.records ??
    blocks.map(({bytes, plainSize}) => ({unpadded: BigInt(bytes.length), plain: BigInt(plainSize)}))
  const body = Buffer.concat([
    Buffer.of(0),
    vli(options.count ?? BigInt(records.length)),
    options.rawRecords ?? Buffer.concat(records.flatMap(({unpadded, plain}) => [vli(unpadded), vli(plain)])),
  ])
  const index = withCrc(Buffer.concat([body, Buffer.alloc(-body.length & 3)]))
  return Buffer.concat([
    STREAM_HEADER,
    ...blocks.flatMap(({bytes}) => [bytes, Buffer.alloc(-bytes.length & 3)]),
    index,
    footer(options.indexBytes ?? index.length, options.footerFlags ?? 0),
  ])
}

/** A variable-length integer; also those that no true file has. */
export function vli(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

const HEADER_BYTES = 12
const STREAM_FLAGS = Buffer.of(0, 0)
function crcOf(bytes: Uint8Array): Buffer {
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(crc32(bytes))
  return crc
}
function withCrc(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, crcOf(bytes)])
}
const STREAM_HEADER = Buffer.concat([Buffer.from('fd377a585a00', 'hex'), withCrc(STREAM_FLAGS)])

/** `dictionary` as LZMA2 codes its size: 18 is 2 MiB, 40 is 4 GiB less one. */
function blockHeader(dictionary: number): Buffer {
  return withCrc(Buffer.from([HEADER_BYTES / 4 - 1, 0, 0x21, 1, dictionary, 0, 0, 0]))
}

function footer(indexBytes: number, flags: number): Buffer {
  const body = Buffer.alloc(6)
  body.writeUInt32LE(indexBytes / 4 - 1)
  body[5] = flags
  return Buffer.concat([crcOf(body), body, Buffer.from('YZ')])
}

function vlis(bytes: Uint8Array): readonly number[] {
  const values: number[] = []
  let value = 0
  let shift = 0
  for (const byte of bytes) {
    value += (byte & 0x7f) * 2 ** shift
    shift = byte < 0x80 ? 0 : shift + 7
    if (byte < 0x80) values.push(value)
    if (byte < 0x80) value = 0
  }
  return values
}
