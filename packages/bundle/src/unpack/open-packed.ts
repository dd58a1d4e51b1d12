import {bunzip2} from '../codecs/bzip2/decoder.js'
import {gunzip} from '../codecs/gzip/gunzip.js'
import {xzDecoder} from '../codecs/xz/decoder.js'
import {openXz} from './open-xz.js'
import {readSeekTable, type FrameSizes} from '../codecs/zstd/seek-table.js'
import {zstdDecoder} from '../codecs/zstd/decoder.js'
import type {ByteSource} from '../bytes/byte-source.js'
import type {Packing} from '../bytes/packing.js'
import type {OpenPackedOptions} from './open-options.js'
import {decodedTwice, spooledOrTwice} from './open-sequential.js'
import {canBeFrames, openZstdFrames} from './open-zstd-frames.js'
import type {SequentialDecoder} from '../codecs/sequential-decoder.js'
import {sniffCompression, type Compression} from '../codecs/sniff.js'

/** The number of bytes from which a compression is recognised. */
const SNIFF_BYTES = 512

/**
 * Opens the plain bytes of a source that may be compressed. The result owns `packed`, and is `packed` itself if that is
 * plain. On an error `packed` is left open.
 */
export async function openPacked(packed: ByteSource, options: OpenPackedOptions): Promise<ByteSource> {
  const first = await packed.read(0, SNIFF_BYTES, options)
  const compression = sniffCompression(first, packed.name)
  if (compression === 'plain') return packed
  if (compression === 'xz' && packed.access !== 'in-order') return openXz(packed, options)
  const frames = compression === 'zstd' ? await framesOf(packed, options) : undefined
  const plain = await openStream(packed, {...options, compression, frames})
  plain.packing = {codec: compression, blocks: frames && blocksOf(frames)}
  return plain
}

interface StreamOptions extends OpenPackedOptions {
  readonly compression: Exclude<Compression, 'plain'>
  /** Undefined if they are not known. */
  readonly frames: readonly FrameSizes[] | undefined
}

async function openStream(
  packed: ByteSource,
  {compression, frames, ...options}: StreamOptions,
): Promise<ByteSource> {
  const isOften = options.readOften === true
  if (isOften && frames !== undefined && canBeFrames(frames)) return openZstdFrames(packed, frames, options)
  const decode = await decoderOf(compression)
  // zstd decodes faster than a disk writes, so reading it twice is cheaper than scratch. Reading it often is not.
  if (compression === 'zstd' && !isOften) return decodedTwice(packed, {...options, decode})
  return spooledOrTwice(packed, {...options, decode, plainSize: undefined})
}

/** Returns the frames that the seek table lists, if there is one. An in-order source is not read to its end for it. */
async function framesOf(
  packed: ByteSource,
  options: OpenPackedOptions,
): Promise<readonly FrameSizes[] | undefined> {
  if (packed.access === 'in-order') return undefined
  const size = await packed.size(options)
  return readSeekTable(size, async (offset, length) => packed.read(offset, length, options))
}

function blocksOf(frames: readonly FrameSizes[]): Packing['blocks'] {
  return {count: frames.length, largest: frames.reduce((most, {plain}) => Math.max(most, plain), 0)}
}

export async function decoderOf(compression: Exclude<Compression, 'plain'>): Promise<SequentialDecoder> {
  if (compression === 'gzip') return gunzip
  if (compression === 'bzip2') return bunzip2
  return (compression === 'xz' ? await xzDecoder() : zstdDecoder()).decode
}
