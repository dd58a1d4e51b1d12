import {crc32} from 'node:zlib'
import {createDeflate} from './deflate/deflate.js'
import {kernelBytes} from './deflate/kernel.js'
import {loadZstd} from './zstd-binding.js'

/** The methods that cut a layer into blocks. */
export type BlockMethod = 'gzip' | 'zstd'

export interface PackedBlock {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly plainLength: number
  /** Of the plain bytes, for gzip's trailer; 0 where the format brings its own check. */
  readonly crc32: number
}

/**
 * Plain bytes of a block, part of the format as it were: other sizes give other digests. Both are small enough that a
 * few blocks a thread cost little memory; twice the size would save a thousandth with gzip, a hundredth with zstd.
 */
export const blockBytes: Readonly<Record<BlockMethod, number>> = {
  gzip: kernelBytes,
  zstd: 2 * 1024 * 1024,
}

const gzipPacker = (): ((plain: Uint8Array) => PackedBlock) => {
  const deflate = createDeflate()
  return (plain) => ({bytes: deflate(plain), plainLength: plain.length, crc32: crc32(plain)})
}

/** Level 3 uses no search that zstd picks by the processor's vector unit, unlike levels 5 to 12. */
const zstdPacker = (): ((plain: Uint8Array) => PackedBlock) => {
  const compressor = new (loadZstd().Compressor)()
  compressor.setParameters({compressionLevel: 3, contentSizeFlag: true, checksumFlag: true})
  return (plain) => {
    // Native code owns the memory of its answer, which cannot be handed to another thread.
    const bytes = new Uint8Array(compressor.compress(plain))
    return {bytes, plainLength: plain.length, crc32: 0}
  }
}

const packers = {gzip: gzipPacker, zstd: zstdPacker}

/** Turns one block into bytes of its own, whatever came before. For use on a worker thread: it takes some 10 ms. */
export const createBlockPacker = (method: BlockMethod): ((plain: Uint8Array) => PackedBlock) =>
  packers[method]()
