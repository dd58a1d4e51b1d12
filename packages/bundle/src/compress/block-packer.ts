import {crc32} from 'node:zlib'
import {inPlaceBytes, InPlace} from '../codecs/xz/in-place.js'
import {loadLzma2Encoder} from '../codecs/xz/lzma2-encoder.js'
import {createDeflate} from './deflate/deflate.js'
import {kernelBytes} from './deflate/kernel.js'
import {createZstdFrame} from './zstd/zstd-frame.js'

/** Methods that pack in blocks. Layers are never packed with xz; bundles may be. */
export type BlockMethod = 'gzip' | 'zstd' | 'xz'

export interface PackedBlock {
  readonly bytes: Uint8Array
  readonly plainLength: number
  /** CRC-32 of the plain bytes, for gzip's trailer and xz's check; 0 if the format brings its own check. */
  readonly crc32: number
}

/**
 * Plain bytes of a block. Fixed, because other sizes give other digests. Small enough that a few blocks for each thread
 * cost little memory. Twice the size would save a thousandth with gzip, a hundredth with zstd. xz's size is two
 * dictionaries of its preset: blocks of one dictionary would be some 2 % larger.
 */
export const blockBytes: Readonly<Record<BlockMethod, number>> = {
  gzip: kernelBytes,
  zstd: 2 * 1024 * 1024,
  xz: 8 * 1024 * 1024,
}

/** Returns the buffer size for a block; incompressible bytes become a little longer. */
export function roomBytes(method: BlockMethod): number {
  return inPlaceBytes(blockBytes[method])
}

/** Packs a block that is at the start of a buffer of `roomBytes`. The result may be in that buffer, over the plain bytes. */
export type PackBlock = (plain: Uint8Array<ArrayBuffer>) => PackedBlock

function gzipPacker(): PackBlock {
  const deflate = createDeflate()
  return (plain) => ({bytes: deflate(plain), plainLength: plain.length, crc32: crc32(plain)})
}

async function zstdPacker(): Promise<PackBlock> {
  const frame = await createZstdFrame()
  return (plain) => ({bytes: frame(plain), plainLength: plain.length, crc32: 0})
}

/** Packs to LZMA2 data without the header and check of an xz block. */
async function xzPacker(): Promise<PackBlock> {
  const encode = await loadLzma2Encoder()
  return (plain) => {
    const check = crc32(plain)
    const bytes = encode(new InPlace(plain.buffer, plain.length))
    return {bytes, plainLength: plain.length, crc32: check}
  }
}

const packers = {gzip: gzipPacker, zstd: zstdPacker, xz: xzPacker}

/**
 * Returns a function that packs one block independently of earlier ones; the result is valid until the next call. For a
 * worker thread: a call takes some 10 ms, and seconds with xz.
 */
export async function createBlockPacker(method: BlockMethod): Promise<PackBlock> {
  return await packers[method]()
}
