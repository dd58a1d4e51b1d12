import {crc32} from 'node:zlib'
import {createDeflate} from './deflate/deflate.js'
import {kernelBytes} from './deflate/kernel.js'
import {createZstdFrame} from './zstd/zstd-frame.js'

/** Methods that pack in blocks on worker threads, for layers and bundles. */
export type BlockMethod = 'gzip' | 'zstd'

export interface PackedBlock {
  readonly bytes: Uint8Array
  readonly plainLength: number
  /** CRC-32 of the plain bytes, for gzip's trailer; 0 if the format brings its own check. */
  readonly crc32: number
}

/**
 * Plain bytes of a block. Fixed, because other sizes give other digests. Small enough that a few blocks for each thread
 * cost little memory. Twice the size would save a thousandth with gzip, a hundredth with zstd.
 */
export const blockBytes: Readonly<Record<BlockMethod, number>> = {
  gzip: kernelBytes,
  zstd: 2 * 1024 * 1024,
}

/** Returns the buffer size for a block; incompressible bytes become a little longer. */
export function roomBytes(method: BlockMethod): number {
  return blockBytes[method] + (blockBytes[method] >>> 6)
}

export type PackBlock = (plain: Uint8Array) => PackedBlock

function gzipPacker(): PackBlock {
  const deflate = createDeflate()
  return (plain) => ({bytes: deflate(plain), plainLength: plain.length, crc32: crc32(plain)})
}

async function zstdPacker(): Promise<PackBlock> {
  const frame = await createZstdFrame()
  return (plain) => ({bytes: frame(plain), plainLength: plain.length, crc32: 0})
}

const packers = {gzip: gzipPacker, zstd: zstdPacker}

/**
 * Returns a function that packs one block independently of earlier ones; the result is valid until the next call. For a
 * worker thread: a call takes some 10 ms.
 */
export async function createBlockPacker(method: BlockMethod): Promise<PackBlock> {
  return await packers[method]()
}
