import {createHash} from 'node:crypto'
import {algorithmOf, digestFrom, type Digest} from './digest.js'
import type {Descriptor} from './descriptor.js'
import {cancelled, MirrorError} from './error.js'

/** Content as a stream. The reader sets the pace, and may stop early. */
export type Bytes = AsyncIterable<Uint8Array>

/**
 * A layer that a docker-archive holds uncompressed: `diffId` and `size` describe the plain tar.
 * `open` yields the layer as it will be stored, compressed to `mediaType`. Its digest exists only once it has been read
 * to the end.
 */
export interface PendingLayer {
  readonly diffId: Digest
  readonly size: number
  readonly mediaType: string
}

/** A blob, or a layer that becomes one when it is compressed. */
export type Content = Descriptor | PendingLayer

/** Returns true if the content has a diff ID and no digest yet. */
export function isPending(content: Content): content is PendingLayer {
  return 'diffId' in content
}

/** Returns the key that is the same wherever content occurs: its digest, or the diff ID of a pending layer. */
export function contentKey(content: Content): Digest {
  return isPending(content) ? content.diffId : content.digest
}

/** Options of `BlobSource.open`. */
export interface OpenOptions {
  readonly signal?: AbortSignal
  /** Bytes to leave out at the start of the bytes that `open` would yield. */
  readonly offset?: number
  /** The caller has read the content to its end before, so the digest is not computed again. A source may do so anyway. */
  readonly isVerified?: boolean
  /** The caller is done with a chunk before it asks for the next, and its memory may be used again. */
  readonly reuseChunks?: boolean
}

/** Content that can be read again, so that a retry or a resumed upload is possible. */
export interface BlobSource {
  readonly content: Content
  /**
   * Yields the content from `offset` to its end. With offset 0, the end is reached only if size and digest (diff ID for
   * a pending layer) are right.
   * @throws {MirrorError} DIGEST_MISMATCH, BLOB_MISSING, SOURCE_TRUNCATED, SOURCE_CORRUPT, CANCELLED
   */
  open(options?: OpenOptions): Bytes
  /** Offset of the content in the source, in bytes. Present if reads in this order are cheaper. */
  readonly position?: number
  /**
   * Announces that `open` will follow. A source that is read in order does not read past this content before `open` or
   * the returned function is called.
   * Calling that function again, or after `open`, is harmless.
   */
  hold?(): () => void
  /**
   * Announces that `open` may be called again until the returned function is called. A source that passes only once keeps
   * as much of the content as its memory allows. Absent if the content can be read again at any time.
   * The chunks of an `open` meanwhile may be parts of that memory. They hold until the returned function is called, or until
   * the reader is 2 MiB further.
   */
  keep?(): () => void
}

/**
 * Passes bytes on, and fails at the end (never before the last byte) unless they are exactly `expected`.
 * @throws {MirrorError} DIGEST_MISMATCH for other or too many bytes, SOURCE_TRUNCATED for too few
 */
export async function* verified(
  bytes: Bytes,
  expected: {readonly digest: Digest; readonly size: number},
  options: {readonly what: string},
): AsyncGenerator<Uint8Array, void, undefined> {
  const algorithm = algorithmOf(expected.digest)
  const hash = createHash(algorithm)
  let seen = 0
  for await (const chunk of bytes) {
    seen += chunk.length
    if (seen > expected.size) {
      throw new MirrorError(
        'DIGEST_MISMATCH',
        `${options.what} is longer than the ${expected.size} bytes it should have`,
      )
    }
    hash.update(chunk)
    yield chunk
  }
  if (seen < expected.size) {
    throw new MirrorError('SOURCE_TRUNCATED', `${options.what} ends after ${seen} of ${expected.size} bytes`)
  }
  const actual = digestFrom(hash, algorithm)
  if (actual !== expected.digest) {
    throw new MirrorError(
      'DIGEST_MISMATCH',
      `${options.what} has the digest ${actual}, not ${expected.digest}`,
    )
  }
}

/**
 * Returns all bytes, for content that is known to be small.
 * @throws {MirrorError} LIMIT_EXCEEDED over `limit` bytes, CANCELLED
 */
export async function readAll(
  bytes: Bytes,
  options: {readonly limit: number; readonly what: string; readonly signal?: AbortSignal},
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytes) {
    if (options.signal?.aborted) throw cancelled(options.signal)
    size += chunk.length
    if (size > options.limit) {
      throw new MirrorError('LIMIT_EXCEEDED', `${options.what} is over the limit of ${options.limit} bytes`)
    }
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)
}
