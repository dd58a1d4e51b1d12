import {isMirrorError, MirrorError, verified, type Bytes, type Digest} from '@airgap-mirror/oci-client/model'
import type {ReadOptions} from '../bytes/byte-source.js'
import type {StoredFile} from '../files/file-tree.js'
import {absenceOf, type ContentTable} from './content-table.js'

/**
 * Yields a whole file and verifies it meanwhile.
 * @throws {MirrorError} DIGEST_MISMATCH, SOURCE_TRUNCATED, SOURCE_CORRUPT, SOURCE_UNREADABLE, CANCELLED
 */
export async function* verifiedFile(
  file: StoredFile,
  expected: {readonly digest: Digest; readonly size: number},
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  refuseWrongSize(file, expected)
  yield* sourceSide(verified(file.stream({...options, unproven: true}), expected, {what: file.name}))
}

/**
 * Refuses a descriptor with a wrong size without reading the file, because a blob that the registry already has is never
 * read.
 * @throws {MirrorError} DIGEST_MISMATCH
 */
export function refuseWrongSize(
  file: StoredFile,
  expected: {readonly digest: Digest; readonly size: number},
): void {
  if (file.size === expected.size) return
  throw new MirrorError(
    'DIGEST_MISMATCH',
    `${file.name} has ${file.size} bytes; ${expected.digest} should have ${expected.size}`,
    {side: 'source', advice: {kind: 'make-again'}},
  )
}

/** Marks errors of shared code as errors of the source. */
export async function* sourceSide(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bytes
  } catch (error) {
    if (!isMirrorError(error) || error.side !== undefined || error.code === 'CANCELLED') throw error
    throw new MirrorError(error.code, error.message, {
      side: 'source',
      advice: error.advice ?? {kind: 'make-again'},
      cause: error.cause,
    })
  }
}

export function missing(
  table: ContentTable,
  {digest, what}: {readonly digest: Digest; readonly what: string},
): MirrorError {
  const {message, advice} = absenceOf(table, digest) ?? {
    message: `${what} is not in the bundle`,
    advice: {kind: 'complete-archive'},
  }
  return new MirrorError('BLOB_MISSING', message, {side: 'source', advice})
}
