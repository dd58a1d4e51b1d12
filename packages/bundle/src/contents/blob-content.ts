import {createHash} from 'node:crypto'
import {Readable} from 'node:stream'
import {createGunzip} from 'node:zlib'
import {
  algorithmOf,
  digestFrom,
  messageOf,
  MirrorError,
  verified,
  type BlobSource,
  type Bytes,
  type Content,
  type Descriptor,
  type Digest,
  type OpenOptions,
  type PendingLayer,
} from '@airgap-mirror/oci-client/model'
import type {CompressLayer} from '../compress/compress.js'
import type {StoredFile} from '../files/file-tree.js'
import {isGzip} from '../files/sniff.js'
import {sourceSide, verifiedFile} from './verified-file.js'

/** Content of a bundle, read best in the order in which it lies. */
export interface HeldBlob extends BlobSource {
  readonly position: number
  hold(): () => void
}

/** Content that goes out as it lies in the bundle. */
export function storedBlob(content: Descriptor, file: StoredFile): HeldBlob {
  return heldBlob({content, file, skips: true}, ({signal, offset = 0}) =>
    offset === 0 ? verifiedFile(file, content, {signal}) : sourceSide(file.stream({signal, offset})),
  )
}

/** A plain layer that is compressed while it is read. Its diff id is verified whatever the offset. */
export function pendingBlob(
  content: PendingLayer,
  {file, compress}: {readonly file: StoredFile; readonly compress: CompressLayer},
): HeldBlob {
  return heldBlob({content, file}, ({signal, offset = 0}) =>
    skip(compress(sourceSide(plainLayer(content, file, signal)), {signal}), offset),
  )
}

interface Held {
  readonly content: Content
  readonly file: StoredFile
  /** Whether an offset means that the file is read from there on, and not from its start. */
  readonly skips?: boolean
}

function heldBlob({content, file, skips = false}: Held, open: (options: OpenOptions) => Bytes): HeldBlob {
  const holds = new Set<() => void>()
  const releaseAll = (): void => {
    for (const release of holds) release()
    holds.clear()
  }
  return {
    content,
    position: file.position,
    open: (options = {}) =>
      told(open(options), {reached: releaseAll, isFurtherOn: skips && (options.offset ?? 0) > 0}),
    hold: () => {
      const release = file.hold()
      holds.add(release)
      return () => {
        holds.delete(release)
        release()
      }
    },
  }
}

/** From its first chunk on, a reader is served for its own sake: `reached` ends the holds that announced it. */
async function* told(
  bytes: Bytes,
  {reached, isFurtherOn}: {readonly reached: () => void; readonly isFurtherOn: boolean},
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = bytes[Symbol.asyncIterator]()
  try {
    const first = iterator.next()
    // A source that stands still for a reader of the start would do so for ever.
    if (isFurtherOn) reached()
    for await (const chunk of rejoin(await first, iterator)) {
      reached()
      yield chunk
    }
  } finally {
    reached()
  }
}

async function* plainLayer(
  {diffId, size}: PendingLayer,
  file: StoredFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stored = file.stream({signal, reuseChunks: true})[Symbol.asyncIterator]()
  const first = await stored.next()
  const all = rejoin(first, stored)
  if (first.done || !isGzip(first.value)) {
    yield* verified(all, {digest: diffId, size}, {what: file.name})
    return
  }
  yield* verifiedUnsized(gunzipped(all, file.name), {digest: diffId, what: file.name})
}

async function* rejoin(
  first: IteratorResult<Uint8Array, unknown>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let next = first; !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

async function* gunzipped(bytes: Bytes, name: string): AsyncGenerator<Uint8Array, void, undefined> {
  const source = Readable.from(copied(bytes), {objectMode: false})
  const gunzip = createGunzip()
  // Errors of the source must reach the reader below, and pipe() does not pass them on.
  source.on('error', (error) => gunzip.destroy(error))
  try {
    yield* source.pipe(gunzip) as AsyncIterable<Uint8Array>
  } catch (cause) {
    throw isZlibError(cause)
      ? new MirrorError('SOURCE_CORRUPT', `${name} is damaged gzip data: ${messageOf(cause)}`, {
          side: 'source',
          cause,
        })
      : cause
  } finally {
    gunzip.destroy()
    source.destroy()
  }
}

/** For a reader that looks ahead, of chunks whose memory is used again. */
async function* copied(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of bytes) yield new Uint8Array(chunk)
}

function isZlibError(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
  )
}

async function* verifiedUnsized(
  bytes: Bytes,
  {digest, what}: {readonly digest: Digest; readonly what: string},
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash(algorithmOf(digest))
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
  const actual = digestFrom(hash, algorithmOf(digest))
  if (actual === digest) return
  throw new MirrorError('DIGEST_MISMATCH', `${what} unpacked has the digest ${actual}, not ${digest}`)
}

async function* skip(bytes: Bytes, offset: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = offset
  for await (const chunk of bytes) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}
