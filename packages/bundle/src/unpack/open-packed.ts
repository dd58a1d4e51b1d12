import {bunzip2} from '../codecs/bzip2/decoder.js'
import {gunzip} from '../codecs/gzip/gunzip.js'
import {xzDecoder} from '../codecs/xz/decoder.js'
import {openXz} from './open-xz.js'
import {readSeekTable} from '../codecs/zstd/seek-table.js'
import {zstdDecoder} from '../codecs/zstd/decoder.js'
import type {ByteSource} from '../bytes/byte-source.js'
import type {Packing} from '../bytes/packing.js'
import type {OpenPackedOptions} from './open-options.js'
import {decodedTwice, spooledOrTwice} from './open-sequential.js'
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
  const decode = await decoderOf(compression)
  // zstd decodes faster than a disk writes, so reading it twice is cheaper than scratch. Reading it often is not.
  const plain =
    compression === 'zstd' && options.readOften !== true
      ? decodedTwice(packed, {...options, decode})
      : await spooledOrTwice(packed, {...options, decode, plainSize: undefined})
  const frames = compression === 'zstd' ? await framesOf(packed, options) : undefined
  plain.packing = {codec: compression, ...frames}
  return plain
}

/** The frames that the seek table lists, if there is one. An in-order source is not read to its end for it. */
async function framesOf(packed: ByteSource, options: OpenPackedOptions): Promise<Pick<Packing, 'blocks'>> {
  if (packed.access === 'in-order') return {}
  const size = await packed.size(options)
  const table = await readSeekTable(size, async (offset, length) => packed.read(offset, length, options))
  if (table === undefined) return {}
  const largest = table.reduce((most, {plain}) => Math.max(most, plain), 0)
  return {blocks: {count: table.length, largest}}
}

export async function decoderOf(compression: Exclude<Compression, 'plain'>): Promise<SequentialDecoder> {
  if (compression === 'gzip') return gunzip
  if (compression === 'bzip2') return bunzip2
  return (compression === 'xz' ? await xzDecoder() : zstdDecoder()).decode
}
