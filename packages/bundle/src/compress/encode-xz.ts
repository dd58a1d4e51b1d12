import {crc32} from 'node:zlib'
import {cancelled, type Bytes, type CallOptions} from '@airgap-mirror/oci-client/model'
import type {BlockPool} from './block-pool.js'
import {lzma2BlockHeader} from '../codecs/xz/block-header.js'
import {roundUp4, streamHeader, streamTail, type IndexRecord} from '../codecs/xz/container.js'
import {runsByContent, type Run} from './runs-by-content.js'
import {storeAsLzma2} from '../codecs/xz/stored-lzma2.js'
import {XZ_DICTIONARY_BITS} from '../codecs/xz/xz-preset.js'

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
  readonly pool: BlockPool
  /** The most blocks in work at once, each of up to 8 MiB. */
  readonly ahead: number
}

/**
 * Encodes one .xz stream of independent blocks with both sizes in each header, so that blocks can be decoded in parallel.
 * Incompressible bytes are stored in blocks of their own. The same bytes always give the same stream. A chunk is valid until
 * the next is asked for.
 * @throws {MirrorError} CANCELLED, and the errors of `plain`
 */
export async function* encodeXz(plain: Bytes, {pool, ahead, signal}: EncodeXzOptions): Bytes {
  const records: IndexRecord[] = []
  yield streamHeader(CRC32)
  for await (const block of inOrder(runsByContent(plain, pool), {
    ahead,
    signal,
    work: (run) => encoded(run, pool),
  })) {
    records.push({unpaddedSize: block.unpaddedSize, plainSize: block.plainSize})
    yield block.header
    yield block.data
    yield block.tail
    pool.giveBack(block.data)
  }
  yield streamTail(CRC32, records)
}

async function encoded({block, length, isStored}: Run, pool: BlockPool): Promise<Block> {
  if (!isStored) {
    const packed = await pool.pack(block, {length, wanted: () => true})
    return framed(packed.bytes, {...packed, dictionaryBits: XZ_DICTIONARY_BITS})
  }
  const check = crc32(block.subarray(0, length))
  const bytes = storeAsLzma2(block.buffer, length)
  return framed(bytes, {plainLength: length, crc32: check, dictionaryBits: NO_DICTIONARY_BITS})
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
  return {
    header,
    data,
    tail,
    unpaddedSize: header.length + packedSize + 4,
    plainSize: plainLength,
  }
}

interface InOrderOptions<Item, Result> extends CallOptions {
  readonly ahead: number
  readonly work: (item: Item) => Promise<Result>
}

/** Works on several items at once and yields the results in the items' order. */
async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  {ahead, work, signal}: InOrderOptions<Item, Result>,
): AsyncGenerator<Result, void, undefined> {
  const begun: Promise<Result>[] = []
  for await (const item of items) {
    if (signal?.aborted) throw cancelled(signal)
    const result = work(item)
    // Thrown when its turn comes; a consumer that has left by then has its own reason.
    result.catch(() => {})
    begun.push(result)
    const first = begun.length >= ahead ? begun.shift() : undefined
    if (first !== undefined) yield await first
  }
  for (const result of begun) yield await result
}
