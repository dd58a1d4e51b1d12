import {xzDecoder, type XzDecoder} from '../codecs/xz/decoder.js'
import {zstdDecoder, type ZstdDecoder} from '../codecs/zstd/decoder.js'

/** The decoding libraries used on this machine. */
export interface Decoders {
  readonly xz: XzDecoder['library']
  readonly zstd: ZstdDecoder['library']
  /** Why faster decoders were passed over. */
  readonly passedOver: readonly string[]
}

/** Loads the decoders and returns which libraries they come from. */
export async function decoders(): Promise<Decoders> {
  const {library: xz, passedOver} = await xzDecoder()
  return {xz, zstd: zstdDecoder().library, passedOver}
}
