import type {CallOptions} from '@airgap-mirror/oci-client/model'
import type {InPlace} from './in-place.js'
import {loadLzmaNativeEncoder} from './lzma-native-encoder.js'
import {loadNodeLiblzmaEncoder} from './node-liblzma-encoder.js'
import {decodeVli, parseStreamFooter, STREAM_FOOTER_BYTES, STREAM_HEADER_BYTES} from './container.js'
import type {EncodeStream, EncodingThread} from './xz-preset.js'

const CHECK_BYTES = 4

/** Returns the LZMA2 data of one block, in the memory of the block. Several calls may be at work at once. */
type EncodeLzma2 = (block: InPlace, options?: CallOptions) => Promise<Uint8Array<ArrayBuffer>>

/** Loads the fastest encoder available. */
export async function loadLzma2Encoder(thread: EncodingThread): Promise<EncodeLzma2> {
  const encode: EncodeStream = (await loadNodeLiblzmaEncoder(thread)) ?? (await loadLzmaNativeEncoder(thread))
  return async (block, options) => lzma2Of(await encode(block, options))
}

/** Returns true if an encoder loads here. Both have native code, and decoders do not tell: one of them needs none. */
export async function canEncodeXz(): Promise<boolean> {
  try {
    await loadLzma2Encoder('pool')
    return true
  } catch {
    return false
  }
}

/** Returns the data of the only block of a stream, without the block's header and check. */
function lzma2Of(stream: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.length)
  const footerAt = bytes.length - STREAM_FOOTER_BYTES
  const footer = parseStreamFooter(bytes.subarray(footerAt))
  if (footer === undefined) throw new Error('the xz encoder gave no whole stream')
  const index = bytes.subarray(footerAt - footer.indexBytes, footerAt)
  const count = decodeVli(index, 1)
  const unpadded = count?.value === 1 ? decodeVli(index, count.next) : undefined
  if (unpadded === undefined) throw new Error('the xz encoder gave more than one block')
  const headerBytes = ((bytes[STREAM_HEADER_BYTES] ?? 0) + 1) * 4
  const blockEnd = STREAM_HEADER_BYTES + unpadded.value
  return bytes.subarray(STREAM_HEADER_BYTES + headerBytes, blockEnd - CHECK_BYTES)
}
