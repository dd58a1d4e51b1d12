import {crc32} from 'node:zlib'
import {createDeflate} from './deflate/deflate.js'
import {kernelBytes} from './deflate/kernel.js'
import {inPlaceBytes, InPlace} from '../codecs/xz/in-place.js'
import {createZstdFrame} from './zstd/zstd-frame.js'

/** Methods that pack in blocks on worker threads, for layers and bundles. */
export type BlockMethod = 'gzip' | 'zstd' | 'xz'

export interface PackedBlock {
  readonly bytes: Uint8Array
  readonly plainLength: number
  /** CRC-32 of the plain bytes, for gzip's trailer; 0 with other methods. */
  readonly crc32: number
}

/**
 * Plain bytes of a block. Fixed, because other sizes give other digests. Small enough that a few blocks for each thread
 * cost little memory. Twice the size would save a thousandth with gzip, a hundredth with zstd.
 */
export const blockBytes: Readonly<Record<BlockMethod, number>> = {
  gzip: kernelBytes,
  zstd: 2 * 1024 * 1024,
  // Two dictionaries of the preset: blocks of one dictionary would be some 2 % larger.
  xz: 8 * 1024 * 1024,
}

/** Returns the buffer size for a block; incompressible bytes become a little longer. */
export function roomBytes(method: BlockMethod): number {
  return inPlaceBytes(blockBytes[method])
}

export type PackBlock = (plain: Uint8Array<ArrayBuffer>) => PackedBlock | Promise<PackedBlock>

function gzipPacker(): PackBlock {
  const deflate = createDeflate()
  return (plain) => ({bytes: deflate(plain), plainLength: plain.length, crc32: crc32(plain)})
}

async function zstdPacker(): Promise<PackBlock> {
  const frame = await createZstdFrame()
  return (plain) => ({bytes: frame(plain), plainLength: plain.length, crc32: 0})
}

async function xzPacker(): Promise<PackBlock> {
  const {loadLzma2Encoder} = await import('../codecs/xz/lzma2-encoder.js')
  const encode = await loadLzma2Encoder('caller')
  return async ({buffer, length}) => ({
    bytes: await encode(new InPlace(buffer, length)),
    plainLength: length,
    crc32: 0,
  })
}

const packers = {gzip: gzipPacker, zstd: zstdPacker, xz: xzPacker}

/**
 * Returns a function that packs one block independently of earlier ones; the result is valid until the next call. For a
 * worker thread: a call takes some 10 ms, and seconds with xz, which packs in the memory of the plain bytes.
 */
export async function createBlockPacker(method: BlockMethod): Promise<PackBlock> {
  return await packers[method]()
}
