import {limits, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import {ByteCursor} from '../../bytes/byte-cursor.js'
import {fieldsOf, headerBytesAfter} from './frame-header.js'

/** A zstd frame. `bytes` is the whole frame as stored; read it to its end before the next frame. */
export interface ZstdFrame {
  readonly bytes: Bytes
}

export interface FramesOptions {
  readonly name: string
  /** Frames that need a larger window are refused. */
  readonly maxWindowBytes: number
}

interface FrameHeader {
  readonly windowBytes: number
  readonly hasChecksum: boolean
  readonly hasDictionary: boolean
}

const FRAME_MAGIC = 0xfd2fb528
const BLOCK_RLE = 1
const BLOCK_RESERVED = 3

/**
 * Finds the bounds of frames (RFC 8878, 3.1) without decoding them. Needed because Node's decoder silently stops after
 * the first frame, and no decoder detects a truncated file as exactly. Skippable frames are left out.
 * @throws {MirrorError} SOURCE_TRUNCATED, SOURCE_CORRUPT, LIMIT_EXCEEDED, SOURCE_UNSUPPORTED for a window or dictionary
 */
export async function* zstdFrames(
  compressed: Bytes,
  options: FramesOptions,
): AsyncGenerator<ZstdFrame, void, undefined> {
  const cursor = new ByteCursor(compressed)
  try {
    for (let count = 1; !(await cursor.atEnd()); count += 1) {
      if (count > limits.zstdFrames) throw tooMany(options)
      const at = cursor.position
      const magic = await required(cursor, 4, options)
      const number = magic.readUInt32LE()
      if (number === FRAME_MAGIC) yield {bytes: joined(frameBytes(magic, cursor, options))}
      else if (isSkippable(number)) await skipFrame(cursor, options)
      else throw corrupt(options, at, 'is not a zstd frame')
    }
  } finally {
    await cursor.close()
  }
}

async function* frameBytes(
  magic: Buffer,
  cursor: ByteCursor,
  options: FramesOptions,
): AsyncGenerator<Buffer> {
  const at = cursor.position - magic.length
  const descriptor = await required(cursor, 1, options)
  const rest = await required(cursor, headerBytesAfter(descriptor.readUInt8()), options)
  const header = parseHeader(descriptor, rest)
  if (header === undefined) throw corrupt(options, at, 'is a zstd frame with a wrong header')
  refuse(header, options)
  yield magic
  yield descriptor
  yield rest
  for (let isLast = false; !isLast;) {
    const blockAt = cursor.position
    const blockHeader = await required(cursor, 3, options)
    yield blockHeader
    const bits = blockHeader.readUIntLE(0, 3)
    const type = (bits >> 1) & 3
    if (type === BLOCK_RESERVED) throw corrupt(options, blockAt, 'is a zstd block of no known type')
    yield* exactly(cursor, type === BLOCK_RLE ? 1 : bits >> 3, options)
    isLast = (bits & 1) === 1
  }
  if (header.hasChecksum) yield* exactly(cursor, 4, options)
}

async function skipFrame(cursor: ByteCursor, options: FramesOptions): Promise<void> {
  const length = (await required(cursor, 4, options)).readUInt32LE()
  for await (const _ of exactly(cursor, length, options));
}

function parseHeader(descriptor: Buffer, rest: Buffer): FrameHeader | undefined {
  const bits = descriptor.readUInt8()
  if ((bits & 0x08) !== 0) return undefined
  const {window, dictionary, content} = fieldsOf(bits)
  const dictionaryId = rest.subarray(window, window + dictionary)
  return {
    windowBytes:
      window === 0 ? contentSize(rest.subarray(dictionary), content) : windowSize(rest.readUInt8()),
    hasChecksum: (bits & 0x04) !== 0,
    hasDictionary: dictionaryId.some((byte) => byte !== 0),
  }
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

function contentSize(field: Buffer, length: number): number {
  if (length === 8) return Number(field.readBigUInt64LE())
  return field.readUIntLE(0, length) + (length === 2 ? 256 : 0)
}

function refuse({windowBytes, hasDictionary}: FrameHeader, {name, maxWindowBytes}: FramesOptions): void {
  if (hasDictionary) {
    throw new MirrorError('SOURCE_UNSUPPORTED', `${name} was compressed with a zstd dictionary`, {
      side: 'source',
      advice: {kind: 'decompress', compression: 'zstd-dictionary'},
    })
  }
  if (windowBytes > maxWindowBytes) {
    const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024)
    throw new MirrorError(
      'SOURCE_UNSUPPORTED',
      `${name} needs a zstd window of ${mebibytes(windowBytes)} MiB, and ${mebibytes(maxWindowBytes)} MiB can be had here`,
      {
        side: 'source',
        advice: {kind: 'decompress', compression: 'zstd-long-window'},
      },
    )
  }
}

function isSkippable(magic: number): boolean {
  return magic >= 0x184d2a50 && magic <= 0x184d2a5f
}

/** Joins pieces that are adjacent in one chunk, because each piece costs its reader a call. */
async function* joined(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let run: Buffer | undefined
  for await (const piece of pieces) {
    if (run === undefined) run = piece
    else if (run.buffer === piece.buffer && run.byteOffset + run.length === piece.byteOffset) {
      run = Buffer.from(run.buffer, run.byteOffset, run.length + piece.length)
    } else {
      yield run
      run = piece
    }
  }
  if (run !== undefined) yield run
}

async function required(cursor: ByteCursor, length: number, options: FramesOptions): Promise<Buffer> {
  const bytes = await cursor.take(length)
  if (bytes === undefined) throw truncated(options, cursor)
  return bytes
}

async function* exactly(
  cursor: ByteCursor,
  length: number,
  options: FramesOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const end = cursor.position + length
  yield* cursor.pass(length)
  if (cursor.position < end) throw truncated(options, cursor)
}

function tooMany({name}: FramesOptions): MirrorError {
  return new MirrorError('LIMIT_EXCEEDED', `${name} has over ${limits.zstdFrames} zstd frames`, {
    side: 'source',
    advice: {kind: 'use-larger-zstd-frames'},
  })
}

function truncated({name}: FramesOptions, {position}: ByteCursor): MirrorError {
  return new MirrorError(
    'SOURCE_TRUNCATED',
    `${name} ends in the middle of a zstd frame, at byte ${position}`,
    {
      side: 'source',
      advice: {kind: 'copy-again-whole'},
    },
  )
}

function corrupt({name}: FramesOptions, at: number, what: string): MirrorError {
  return new MirrorError('SOURCE_CORRUPT', `${name} is damaged: what follows byte ${at} ${what}`, {
    side: 'source',
    advice: {kind: 'copy-again'},
  })
}
