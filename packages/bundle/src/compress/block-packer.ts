import {crc32} from 'node:zlib'
import {loadLzma2Encoder} from '../codecs/xz/lzma2-encoder.js'
import {createDeflate} from './deflate/deflate.js'
import {kernelBytes} from './deflate/kernel.js'
import {loadZstd} from './zstd-binding.js'

/** The methods that cut what they pack into blocks. Layers are never packed with xz, bundles may be. */
export type BlockMethod = 'gzip' | 'zstd' | 'xz'

export interface PackedBlock {
  readonly bytes: Uint8Array
  readonly plainLength: number
  /** Of the plain bytes, for gzip's trailer and xz's check; 0 where the format brings its own check. */
  readonly crc32: number
}

/**
 * Plain bytes of a block, part of the format as it were: other sizes give other digests. They are small enough that a
 * few blocks a thread cost little memory; twice the size would save a thousandth with gzip, a hundredth with zstd. xz's is
 * the dictionary of its preset.
 */
export const blockBytes: Readonly<Record<BlockMethod, number>> = {
  gzip: kernelBytes,
  zstd: 2 * 1024 * 1024,
  xz: 8 * 1024 * 1024,
}

/** Room for a block whatever becomes of it: what does not compress comes out a little longer. */
export function roomBytes(method: BlockMethod): number {
  return blockBytes[method] + (blockBytes[method] >>> 6)
}

function gzipPacker(): (plain: Uint8Array) => PackedBlock {
  const deflate = createDeflate()
  return (plain) => ({bytes: deflate(plain), plainLength: plain.length, crc32: crc32(plain)})
}

/** Level 3 uses no search that zstd picks by the processor's vector unit, unlike levels 5 to 12. */
function zstdPacker(): (plain: Uint8Array) => PackedBlock {
  const {CCtx, CParameter, compressBound} = loadZstd()
  const context = new CCtx()
  context.setParameter(CParameter.compressionLevel, 3)
  context.setParameter(CParameter.contentSizeFlag, 1)
  context.setParameter(CParameter.checksumFlag, 1)
  // The package's own class takes room anew for each block, and it piles up between two collections of garbage.
  const packed = new Uint8Array(compressBound(blockBytes.zstd))
  return (plain) => {
    const length = context.compress2(packed, plain)
    return {bytes: packed.subarray(0, length), plainLength: plain.length, crc32: 0}
  }
}

/** LZMA2 data without the header and the check of an xz block. */
async function xzPacker(): Promise<(plain: Uint8Array) => PackedBlock> {
  const encode = await loadLzma2Encoder()
  return (plain) => ({bytes: encode(plain), plainLength: plain.length, crc32: crc32(plain)})
}

const packers = {gzip: gzipPacker, zstd: zstdPacker, xz: xzPacker}

/**
 * Turns one block into bytes of its own, whatever came before; they are good until the next call. For use on a worker
 * thread: it takes some 10 ms, and seconds with xz.
 */
export async function createBlockPacker(method: BlockMethod): Promise<(plain: Uint8Array) => PackedBlock> {
  return await packers[method]()
}
