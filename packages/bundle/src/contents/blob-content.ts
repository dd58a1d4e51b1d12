import {createHash, type Hash} from 'node:crypto'
import {
  algorithmOf,
  digestFrom,
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
import type {ReadOptions} from '../bytes/byte-source.js'
import type {CompressLayer} from '../compress/compress.js'
import type {StoredFile} from '../files/file-tree.js'
import {sniffCompression} from '../codecs/sniff.js'
import {SNIFF_BYTES} from '../files/sniff.js'
import {decoderOf} from '../unpack/open-packed.js'
import {sourceSide, verifiedFile} from './verified-file.js'

/** Content of a bundle; reading in the order of positions is cheapest. */
export interface HeldBlob extends BlobSource {
  readonly position: number
  hold(): () => void
}

/** Returns content that is transferred as it is stored in the bundle. */
export function storedBlob(content: Descriptor, file: StoredFile): HeldBlob {
  return heldBlob(
    {content, file, skips: true},
    ({signal, offset = 0, isVerified = false, reuseChunks, isKept}) =>
      offset === 0 && !isVerified
        ? verifiedFile(file, content, {signal, reuseChunks, isKept})
        : sourceSide(file.stream({signal, offset, unproven: isVerified, reuseChunks, isKept})),
  )
}

/** Returns a plain layer that is compressed while it is read. Its diff ID is verified at any offset. */
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
  /** True if reading at an offset begins at that byte of the file, not at its start. */
  readonly skips?: boolean
}

function heldBlob(
  {content, file, skips = false}: Held,
  open: (options: OpenOptions & Pick<ReadOptions, 'isKept'>) => Bytes,
): HeldBlob {
  let keepers = 0
  const holds = new Set<() => void>()
  const releaseAll = (): void => {
    for (const release of holds) release()
    holds.clear()
  }
  return {
    content,
    position: file.position,
    open: (options = {}) =>
      told(open({...options, isKept: keepers > 0}), {
        reached: releaseAll,
        isFurtherOn: skips && (options.offset ?? 0) > 0,
      }),
    keep:
      file.keep === undefined
        ? undefined
        : () => {
            const letGo = file.keep?.()
            keepers += 1
            return () => {
              if (letGo !== undefined) keepers -= 1
              letGo?.()
            }
          },
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

/** Calls `reached` at the reader's first chunk: it ends the holds that announced the reader. */
async function* told(
  bytes: Bytes,
  {reached, isFurtherOn}: {readonly reached: () => void; readonly isFurtherOn: boolean},
): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = bytes[Symbol.asyncIterator]()
  try {
    const first = iterator.next()
    // An in-order source that holds for a reader of the start would otherwise stand still forever.
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
  const compression = first.done ? 'plain' : sniffCompression(first.value.subarray(0, SNIFF_BYTES), file.name)
  if (compression === 'plain') {
    yield* verified(all, {digest: diffId, size}, {what: file.name})
    return
  }
  const decode = await decoderOf(compression)
  const packed = createHash(algorithmOf(diffId))
  const plain = decode(copied(all, packed), {name: file.name, signal})
  yield* verifiedPlain(plain, {diffId, what: file.name, packed})
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

/** Copies chunks whose memory is reused, for a reader that looks ahead. */
async function* copied(bytes: Bytes, hash: Hash): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield new Uint8Array(chunk)
  }
}

async function* verifiedPlain(
  bytes: Bytes,
  {diffId, what, packed}: {readonly diffId: Digest; readonly what: string; readonly packed: Hash},
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash(algorithmOf(diffId))
  for await (const chunk of bytes) {
    hash.update(chunk)
    yield chunk
  }
  const actual = digestFrom(hash, algorithmOf(diffId))
  if (actual === diffId) return
  // Some tools write the digest of the compressed file there (buildah issue 5021); no runtime can unpack such an image.
  const isPacked = digestFrom(packed, algorithmOf(diffId)) === diffId
  throw new MirrorError(
    'DIGEST_MISMATCH',
    isPacked
      ? `the diff id ${diffId} of ${what} is the digest of the compressed file; unpacked, it has ${actual}`
      : `${what} unpacked has the digest ${actual}, not ${diffId}`,
    {side: 'source', advice: {kind: 'make-again'}},
  )
}

async function* skip(bytes: Bytes, offset: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = offset
  for await (const chunk of bytes) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left)
    left = Math.max(0, left - chunk.length)
  }
}
