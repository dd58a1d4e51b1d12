import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {PackedBlock} from './block-packer.js'
import {joinCrc32} from './join-crc32.js'

/** RFC 1952, 2.3: deflate, no flags, no time, no level hint, unknown system. So the header never differs. */
const head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
/** An empty final block with the fixed code. */
const finalBlock = [3, 0]

/** Joins deflated non-final blocks into one gzip member. */
export async function* gzipMember(blocks: AsyncIterable<PackedBlock>): Bytes {
  let crc32 = 0
  let size = 0
  yield Uint8Array.from(head)
  for await (const block of blocks) {
    crc32 = joinCrc32(crc32, block.crc32, block.plainLength)
    size = (size + block.plainLength) % 2 ** 32
    yield block.bytes
  }
  const end = new DataView(new ArrayBuffer(finalBlock.length + 8))
  for (const [index, byte] of finalBlock.entries()) end.setUint8(index, byte)
  end.setUint32(2, crc32, true)
  end.setUint32(6, size, true)
  yield new Uint8Array(end.buffer)
}
