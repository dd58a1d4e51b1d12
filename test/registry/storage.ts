import {createHash, type Hash} from 'node:crypto'
import type {BlobWriter} from '@airgap-mirror/cli/server'
import type {Digest, DigestAlgorithm} from '@airgap-mirror/oci-client/model'

interface ReadRange {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/** Blobs by digest, for all repositories together. */
export interface Storage {
  writer(algorithm: DigestAlgorithm): Promise<BlobWriter>
  size(digest: Digest): number | undefined
  /** Undefined where only the size was kept. */
  read(digest: Digest, range: ReadRange): AsyncIterable<Uint8Array> | undefined
  close(): Promise<void>
}

interface Content {
  readonly size: number
  readonly chunks: readonly Uint8Array[] | undefined
}

/** In memory; of blobs over `keepContentUpTo` bytes only the size is kept. */
export function memoryStorage(keepContentUpTo = Number.POSITIVE_INFINITY): Storage {
  const blobs = new Map<Digest, Content>()
  return {
    writer: (algorithm) =>
      Promise.resolve(
        memoryWriter({algorithm, keepContentUpTo, keep: (digest, content) => blobs.set(digest, content)}),
      ),
    size: (digest) => blobs.get(digest)?.size,
    read: (digest, range) => {
      const chunks = blobs.get(digest)?.chunks
      return chunks === undefined ? undefined : sliced(chunks, range)
    },
    close: () => {
      blobs.clear()
      return Promise.resolve()
    },
  }
}

function memoryWriter(options: {
  readonly algorithm: DigestAlgorithm
  readonly keepContentUpTo: number
  readonly keep: (digest: Digest, content: Content) => void
}): BlobWriter {
  const {algorithm, keepContentUpTo, keep} = options
  const hash = createHash(algorithm)
  let size = 0
  let chunks: Uint8Array[] | undefined = []
  return {
    get size() {
      return size
    },
    write: (chunk) => {
      size += chunk.length
      hash.update(chunk)
      if (size > keepContentUpTo) chunks = undefined
      chunks?.push(chunk)
      return Promise.resolve()
    },
    digest: (asked) =>
      Promise.resolve(asked === algorithm ? digestSoFar(hash, asked) : rehash(chunks, asked)),
    commit: (digest) => {
      keep(digest, {size, chunks: chunks?.slice()})
      return Promise.resolve()
    },
    discard: () => {
      chunks = undefined
      return Promise.resolve()
    },
  }
}

/** The hash goes on afterwards: a commit with the wrong digest does not end the session. */
export function digestSoFar(hash: Hash, algorithm: DigestAlgorithm): Digest {
  return `${algorithm}:${hash.copy().digest('hex')}` as Digest
}

function rehash(chunks: readonly Uint8Array[] | undefined, algorithm: DigestAlgorithm): Digest | undefined {
  if (chunks === undefined) return undefined
  const hash = createHash(algorithm)
  for (const chunk of chunks) hash.update(chunk)
  return digestSoFar(hash, algorithm)
}

async function* sliced(chunks: readonly Uint8Array[], {start, end}: ReadRange): AsyncGenerator<Uint8Array> {
  let offset = 0
  for (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, start - offset), Math.max(0, end - offset))
    offset += chunk.length
    if (part.length > 0) yield part
    if (offset >= end) return
  }
}
