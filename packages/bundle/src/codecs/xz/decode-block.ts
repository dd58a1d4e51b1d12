import {inSpan, isMirrorError, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import type {ByteSource} from '../../bytes/byte-source.js'
import type {SequentialDecoder} from '../sequential-decoder.js'
import type {XzBlock} from './block-table.js'
import {oneBlockTail, roundUp4, streamHeader} from './container.js'

export interface DecodeBlockOptions {
  readonly packed: ByteSource
  /** It is done with a chunk before it asks for the next. */
  readonly decode: SequentialDecoder
  readonly signal: AbortSignal
  readonly onDecoded: (bytes: number) => void
  /** Gets the plain bytes in order; a chunk is valid only during the call. */
  readonly onPlain: (chunk: Uint8Array, offset: number) => void
}

/**
 * Decodes one block alone, as a stream of one block with a header and tail made for it. The decoder proves the block's
 * checksum; its sizes are checked against the Index here.
 * @throws {MirrorError} SOURCE_CORRUPT, SOURCE_TRUNCATED, CANCELLED
 */
export function decodeBlock(block: XzBlock, options: DecodeBlockOptions): Promise<void> {
  const {plainOffset, plainSize} = block
  return inSpan(
    () => ({kind: 'decoding', name: 'xz block', details: {plainOffset, bytes: plainSize}}),
    () => decodeAlone(block, options),
  )
}

async function decodeAlone(block: XzBlock, options: DecodeBlockOptions): Promise<void> {
  const {packed, decode, signal, onDecoded, onPlain} = options
  let filled = 0
  let unreadable: unknown
  async function* asStream(): Bytes {
    yield streamHeader(block.flags)
    try {
      yield* packed.stream(block.packedOffset, roundUp4(block.unpaddedSize), {signal, reuseChunks: true})
    } catch (error) {
      unreadable = error
      throw error
    }
    yield oneBlockTail(block)
  }

  try {
    for await (const chunk of decode(asStream(), {name: packed.name, signal, reuseOutput: () => true})) {
      onDecoded(chunk.length)
      if (filled + chunk.length > block.plainSize) throw wrongSize(block, packed.name)
      onPlain(chunk, filled)
      filled += chunk.length
    }
  } catch (cause) {
    // The block is as long as its Index says, so data that end too early are damaged.
    const damaged =
      isMirrorError(cause) && (cause.code === 'SOURCE_CORRUPT' || cause.code === 'SOURCE_TRUNCATED')
    if (unreadable !== undefined || !damaged) throw unreadable ?? cause
    throw new MirrorError(
      'SOURCE_CORRUPT',
      `${packed.name} is damaged in the xz block at byte ${block.packedOffset} (plain bytes from ${block.plainOffset})`,
      {side: 'source', advice: {kind: 'copy-again'}, cause},
    )
  }
  if (filled !== block.plainSize) throw wrongSize(block, packed.name)
}

function wrongSize(block: XzBlock, name: string): MirrorError {
  return new MirrorError(
    'SOURCE_CORRUPT',
    `the xz block at byte ${block.packedOffset} of ${name} does not hold the ${block.plainSize} bytes its Index says`,
    {side: 'source', advice: {kind: 'copy-again'}},
  )
}
