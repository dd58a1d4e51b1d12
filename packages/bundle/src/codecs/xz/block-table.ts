import {crc32} from 'node:zlib'
import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {
  decodeVli,
  parseStreamFooter,
  parseStreamHeader,
  roundUp4,
  STREAM_FOOTER_BYTES,
  STREAM_HEADER_BYTES,
  type IndexRecord,
} from './container.js'

/** The place of one block in the file, and the range of plain bytes it holds. In bytes. */
export interface XzBlock {
  readonly packedOffset: number
  /** Header, data and check, without the padding. */
  readonly unpaddedSize: number
  readonly plainOffset: number
  readonly plainSize: number
  /** The stream's flags: the kind of check that ends the block. */
  readonly flags: number
}

export interface XzBlockTable {
  /** In the order of the plain bytes, without empty blocks. */
  readonly blocks: readonly XzBlock[]
  readonly plainSize: number
}

export interface BlockTableOptions {
  readonly name: string
  readonly size: number
  /** Returns exactly `length` bytes. */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>
}

interface XzStream {
  readonly start: number
  readonly flags: number
  readonly records: readonly IndexRecord[]
}

/** Stream padding is searched in windows: a small window first, because most streams have no padding. */
const FIRST_WINDOW = 16
const PADDING_WINDOW = 64 * 1024

/**
 * Reads the block table of a whole .xz file from its end: footer, Index, header of each stream, last stream first
 * (xz-file-format.txt 1.2, sections 2 to 4). Nothing is decoded.
 * @throws {MirrorError} SOURCE_TRUNCATED if the file has no footer at its end, SOURCE_CORRUPT, LIMIT_EXCEEDED
 */
export async function readBlockTable(options: BlockTableOptions): Promise<XzBlockTable> {
  const streams: XzStream[] = []
  let blocks = 0
  let end = await skipPadding(options.size, options)
  while (end > 0) {
    const stream = await readStream(end, options)
    streams.push(stream)
    blocks += stream.records.length
    if (streams.length > limits.xzStreams || blocks > limits.xzBlocks) {
      throw new MirrorError('LIMIT_EXCEEDED', `${options.name} has too many xz streams or blocks`, {
        side: 'source',
      })
    }
    end = await skipPadding(stream.start, options)
  }
  if (streams.length === 0) throw truncated(options)
  return layOut(streams.toReversed())
}

function layOut(streams: readonly XzStream[]): XzBlockTable {
  const blocks: XzBlock[] = []
  let plainOffset = 0
  for (const {start, flags, records} of streams) {
    let packedOffset = start + STREAM_HEADER_BYTES
    for (const {unpaddedSize, plainSize} of records) {
      if (plainSize > 0) blocks.push({packedOffset, unpaddedSize, plainOffset, plainSize, flags})
      packedOffset += roundUp4(unpaddedSize)
      plainOffset += plainSize
    }
  }
  return {blocks, plainSize: plainOffset}
}

/** Reads the stream that ends at `end`. */
async function readStream(end: number, options: BlockTableOptions): Promise<XzStream> {
  const footerAt = end - STREAM_FOOTER_BYTES
  if (footerAt < STREAM_HEADER_BYTES) throw truncated(options)
  const footer = parseStreamFooter(await readBuffer(footerAt, STREAM_FOOTER_BYTES, options))
  if (footer === undefined) throw truncated(options)
  const indexAt = footerAt - footer.indexBytes
  if (indexAt < STREAM_HEADER_BYTES) throw corrupt(options, footerAt, 'its footer is wrong')
  if (footer.indexBytes > limits.xzIndexBytes) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `the xz Index of ${options.name} has ${footer.indexBytes} bytes, over the limit of ${limits.xzIndexBytes}`,
      {side: 'source'},
    )
  }
  const records = parseIndex(await readBuffer(indexAt, footer.indexBytes, options))
  if (records === undefined) throw corrupt(options, indexAt, 'its Index is wrong')
  const packed = records.reduce((sum, {unpaddedSize}) => sum + roundUp4(unpaddedSize), 0)
  const start = indexAt - packed - STREAM_HEADER_BYTES
  if (start < 0) throw corrupt(options, indexAt, 'its Index speaks of more than there is')
  const flags = parseStreamHeader(await readBuffer(start, STREAM_HEADER_BYTES, options))
  if (flags !== footer.flags) throw corrupt(options, start, 'its header is wrong or missing')
  return {start, flags, records}
}

function parseIndex(bytes: Buffer): readonly IndexRecord[] | undefined {
  const body = bytes.subarray(0, -4)
  if (bytes.readUInt32LE(body.length) !== crc32(body) || body[0] !== 0) return undefined
  const count = decodeVli(body, 1)
  // A record takes at least two bytes, so a larger count is refused.
  if (count === undefined || count.value > body.length / 2 || count.value > limits.xzBlocks) return undefined
  const records: IndexRecord[] = []
  let at = count.next
  for (let index = 0; index < count.value; index += 1) {
    const unpadded = decodeVli(body, at)
    const plain = unpadded && decodeVli(body, unpadded.next)
    if (unpadded === undefined || plain === undefined || unpadded.value < 5) return undefined
    records.push({unpaddedSize: unpadded.value, plainSize: plain.value})
    at = plain.next
  }
  const padding = body.subarray(at)
  return padding.length < 4 && padding.every((byte) => byte === 0) ? records : undefined
}

/** Returns the end of the content before stream padding (zero bytes, a multiple of four) that ends at `end`. */
async function skipPadding(end: number, options: BlockTableOptions): Promise<number> {
  for (let at = end; at > 0;) {
    const length = Math.min(at === end ? FIRST_WINDOW : PADDING_WINDOW, at)
    const window = await readBuffer(at - length, length, options)
    const last = window.findLastIndex((byte) => byte !== 0)
    if (last >= 0) {
      const padded = end - (at - length + last + 1)
      return end - (padded - (padded % 4))
    }
    at -= length
  }
  return 0
}

async function readBuffer(offset: number, length: number, {read}: BlockTableOptions): Promise<Buffer> {
  const bytes = await read(offset, length)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function truncated({name, size}: BlockTableOptions): MirrorError {
  return new MirrorError('SOURCE_TRUNCATED', `${name} does not end like an xz file, at byte ${size}`, {
    side: 'source',
    advice: {kind: 'copy-again-whole'},
  })
}

function corrupt({name}: BlockTableOptions, at: number, what: string): MirrorError {
  return new MirrorError('SOURCE_CORRUPT', `${name} is damaged: ${what}, at byte ${at}`, {
    side: 'source',
    advice: {kind: 'copy-again'},
  })
}
