import {crc32} from 'node:zlib'
import pLimit, {type LimitFunction} from 'p-limit'
import {cancelled, inSpan, type Bytes, type CallOptions} from '@airgap-mirror/oci-client/model'
import {BlockBuffers} from './block-buffers.js'
import {lzma2BlockHeader} from '../codecs/xz/block-header.js'
import {roundUp4, streamHeader, streamTail, type IndexRecord} from '../codecs/xz/container.js'
import {inPlaceBytes, InPlace} from '../codecs/xz/in-place.js'
import {loadLzma2Encoder} from '../codecs/xz/lzma2-encoder.js'
import {storeAsLzma2} from '../codecs/xz/stored-lzma2.js'
import {XZ_DICTIONARY_BITS} from '../codecs/xz/xz-preset.js'
import {blockBytes} from './block-packer.js'
import {runsByContent, type Run} from './runs-by-content.js'

/** CRC32, because every decoder has to support it (xz-file-format.txt 1.2, 3.4). Digests prove the content as well. */
const CRC32 = 1
/** 4 KiB, because stored chunks refer to nothing. */
const NO_DICTIONARY_BITS = 0

interface Block extends IndexRecord {
  readonly header: Uint8Array
  /** In the memory of a leased block. */
  readonly data: Uint8Array<ArrayBuffer>
  readonly tail: Uint8Array
}

export interface EncodeXzOptions extends CallOptions {
  /** The most blocks encoded at once. One more is in memory: filled, waiting or being written. */
  readonly threads: number
  /** Default: on libuv's pool, which has four threads for the whole process. */
  readonly encode?: EncodeBlock
}

/** Returns the LZMA2 data of the first `length` bytes of a leased block, in a buffer of its size. */
export type EncodeBlock = (
  block: Uint8Array<ArrayBuffer>,
  options: CallOptions & {readonly length: number},
) => Promise<Uint8Array<ArrayBuffer>>

/**
 * Encodes one .xz stream of independent blocks with both sizes in each header, so that blocks can be decoded in parallel.
 * Incompressible bytes are stored in blocks of their own. The same bytes always give the same stream. A chunk is valid until
 * the next is asked for. No call of `encode` is open any more when it has ended.
 * @throws {MirrorError} CANCELLED, and the errors of `plain`
 */
export async function* encodeXz(plain: Bytes, options: EncodeXzOptions): Bytes {
  const {threads, signal, encode = await encoderOnPool()} = options
  const buffers = new BlockBuffers(blockBytes.xz, inPlaceBytes(blockBytes.xz))
  const limit = pLimit(threads)
  const records: IndexRecord[] = []
  yield streamHeader(CRC32)
  for await (const block of inOrder(runsByContent(plain, buffers), {
    ahead: threads + 1,
    signal,
    work: (run, call) => (run.isStored ? stored(run) : encoded(run, {...call, encode, limit})),
  })) {
    records.push({unpaddedSize: block.unpaddedSize, plainSize: block.plainSize})
    yield block.header
    yield block.data
    yield block.tail
    buffers.giveBack(block.data)
  }
  yield streamTail(CRC32, records)
}

async function stored({block, length}: Run): Promise<Block> {
  const check = crc32(block.subarray(0, length))
  const bytes = storeAsLzma2(block.buffer, length)
  return framed(bytes, {plainLength: length, crc32: check, dictionaryBits: NO_DICTIONARY_BITS})
}

async function encoderOnPool(): Promise<EncodeBlock> {
  const encode = await loadLzma2Encoder('pool')
  return ({buffer}, {length, signal}) =>
    inSpan(
      () => ({kind: 'compression', name: 'block', details: {bytes: length}}),
      () => encode(new InPlace(buffer, length), {signal}),
    )
}

interface Encoding extends CallOptions {
  readonly encode: EncodeBlock
  readonly limit: LimitFunction
}

async function encoded({block, length}: Run, {encode, limit, signal}: Encoding): Promise<Block> {
  const check = crc32(block.subarray(0, length))
  const bytes = await limit(() => encode(block, {length, signal}))
  return framed(bytes, {plainLength: length, crc32: check, dictionaryBits: XZ_DICTIONARY_BITS})
}

function framed(
  data: Uint8Array<ArrayBuffer>,
  block: {readonly plainLength: number; readonly crc32: number; readonly dictionaryBits: number},
): Block {
  const {plainLength, dictionaryBits} = block
  const packedSize = data.length
  const header = lzma2BlockHeader({packedSize, plainSize: plainLength, dictionaryBits})
  const tail = Buffer.alloc(roundUp4(packedSize) - packedSize + 4)
  tail.writeUInt32LE(block.crc32, tail.length - 4)
  return {header, data, tail, unpaddedSize: header.length + packedSize + 4, plainSize: plainLength}
}

interface InOrderOptions<Item, Result> extends CallOptions {
  /** The most items that are worked on, or of which the result is not yielded yet. */
  readonly ahead: number
  readonly work: (item: Item, options: CallOptions) => Promise<Result>
}

/** Works on several items at once and yields the results in the items' order. No work goes on when it has ended. */
async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  {ahead, work, signal}: InOrderOptions<Item, Result>,
): AsyncGenerator<Result, void, undefined> {
  const begun: Promise<Result>[] = []
  const leaving = new AbortController()
  const both = signal === undefined ? leaving.signal : AbortSignal.any([signal, leaving.signal])
  try {
    for await (const item of items) {
      if (signal?.aborted) throw cancelled(signal)
      const result = work(item, {signal: both})
      // Thrown when its turn comes; a consumer that has left by then has its own reason.
      result.catch(() => {})
      begun.push(result)
      const first = begun.length >= ahead ? begun.shift() : undefined
      if (first !== undefined) yield await first
    }
    for (const result of begun) yield await result
  } finally {
    leaving.abort()
    await Promise.allSettled(begun)
  }
}
