import type {Readable} from 'node:stream'
import {messageOf, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from '../bytes/abortable.js'
import {pipeBytes, pipeOf} from '../bytes/pipe-bytes.js'
import {counted, type Usage} from '../bytes/usage.js'
import {sniffCompression, type Compression} from '../codecs/sniff.js'
import {decoderOf} from './open-packed.js'

const SNIFF_BYTES = 512

export interface PlainStreamOptions {
  readonly name: string
  /** Counts what is decoded. */
  readonly usage: Usage
  readonly signal?: AbortSignal
  /** Called once with the compression of the stream. */
  readonly onCodec?: (codec: Compression) => void
  /** Called with the bytes of the stream that were read so far. */
  readonly onReading?: (bytes: number) => void
  /** Returns true if the caller is done with a chunk before it asks for the next. Asked before each chunk. */
  readonly reuseChunks?: () => boolean
}

/**
 * Yields the plain bytes of a stream, whose compression is detected from its first bytes. Closes the stream at the end.
 * @throws {MirrorError} SOURCE_UNREADABLE, SOURCE_UNSUPPORTED, SOURCE_TRUNCATED, SOURCE_CORRUPT, CANCELLED
 */
export async function* plainStream(
  stream: Readable,
  options: PlainStreamOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const {name, signal, usage, onCodec, reuseChunks = () => false} = options
  let isPlain = false
  const abort = (): void => {
    stream.destroy()
  }
  signal?.addEventListener('abort', abort, {once: true})
  try {
    // A decoder may look ahead.
    const chunks = readable(stream, {...options, reuseChunks: () => isPlain && reuseChunks()})
    const {first, all} = await withFirst(chunks, SNIFF_BYTES)
    const compression = sniffCompression(first, name)
    onCodec?.(compression)
    isPlain = compression === 'plain'
    if (compression === 'plain') yield* all
    else yield* counted((await decoderOf(compression))(all, {name, signal, reuseOutput: reuseChunks}), usage)
  } finally {
    signal?.removeEventListener('abort', abort)
    stream.destroy()
  }
}

async function* readable(
  stream: Readable,
  {name, signal, onReading, reuseChunks = () => false}: PlainStreamOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0
  const pipe = pipeOf(stream)
  const chunks = pipe === undefined ? stream : pipeBytes(pipe, {signal, reuseChunks})
  try {
    for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
      onReading?.((bytes += chunk.length))
      yield chunk
    }
  } catch (cause) {
    throwIfAborted(signal)
    throw new MirrorError('SOURCE_UNREADABLE', `cannot read ${name}: ${messageOf(cause)}`, {
      side: 'source',
      cause,
    })
  }
}

/** Returns the first bytes of a stream, and the whole stream. */
async function withFirst(
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
  length: number,
): Promise<{first: Uint8Array; all: Bytes}> {
  const read: Uint8Array[] = []
  for (let size = 0; size < length;) {
    const next = await chunks.next()
    if (next.done === true) break
    read.push(next.value)
    size += next.value.length
  }
  async function* all(): Bytes {
    yield* read
    yield* chunks
  }
  return {first: Buffer.concat(read).subarray(0, length), all: all()}
}
