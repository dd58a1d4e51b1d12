import {
  algorithmOf,
  isMirrorError,
  limits,
  MirrorError,
  parseManifest,
  readAll,
  type Descriptor,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import type {ReadOptions} from '../bytes/byte-source.js'
import {findBlob, type ContentTable} from './content-table.js'
import {missing, verifiedFile} from './verified-file.js'

/**
 * The manifest with a digest, its bytes as they are, verified.
 * @throws {MirrorError} BLOB_MISSING, DIGEST_MISMATCH, MANIFEST_INVALID, LIMIT_EXCEEDED, BUNDLE_UNSUPPORTED
 */
export const readManifest = async (
  table: ContentTable,
  descriptor: Descriptor,
  {signal}: ReadOptions = {},
): Promise<Manifest> => {
  const file = findBlob(table, descriptor.digest)
  const what = `manifest ${descriptor.digest}`
  if (file === undefined) throw missing(table, {digest: descriptor.digest, what})
  if (file.size > limits.manifestBytes) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${file.name}, a manifest, has ${file.size} bytes: over the limit of ${limits.manifestBytes}`,
      {side: 'source'},
    )
  }
  const bytes = await readAll(verifiedFile(file, descriptor, {signal}), {
    limit: limits.manifestBytes,
    what,
    signal,
  })
  try {
    return parseManifest(bytes, {
      mediaType: descriptor.mediaType,
      algorithm: algorithmOf(descriptor.digest),
    })
  } catch (error) {
    if (!isMirrorError(error)) throw error
    throw new MirrorError(error.code, `${file.name}: ${error.message}`, {
      side: 'source',
      hint: error.hint,
      cause: error,
    })
  }
}

/**
 * The manifest, where it can be read: what is wrong with it is told when its image is transferred, not while the bundle
 * is opened, so that one damaged image does not take the others with it.
 */
export const peekManifest = async (
  table: ContentTable,
  descriptor: Descriptor,
  options: ReadOptions = {},
): Promise<Manifest | undefined> => {
  if (findBlob(table, descriptor.digest) === undefined) return undefined
  try {
    return await readManifest(table, descriptor, options)
  } catch (error) {
    if (isMirrorError(error) && PER_IMAGE.has(error.code)) return undefined
    throw error
  }
}

const PER_IMAGE: ReadonlySet<string> = new Set([
  'BUNDLE_UNSUPPORTED',
  'DIGEST_MISMATCH',
  'LIMIT_EXCEEDED',
  'MANIFEST_INVALID',
])
