import {
  algorithmOf,
  isMirrorError,
  jsonShape,
  limits,
  MirrorError,
  parseManifest,
  readAll,
  type Descriptor,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import type {ReadOptions} from '../bytes/byte-source.js'
import type {StoredFile} from '../files/file-tree.js'
import {findBlob, type ContentTable} from './content-table.js'
import {missing, verifiedFile} from './verified-file.js'

/**
 * Returns the verified manifest with a digest, its bytes unchanged. It is read once and kept, because names, referrers,
 * plans and uploads all need it.
 * @throws {MirrorError} BLOB_MISSING, DIGEST_MISMATCH, MANIFEST_INVALID, LIMIT_EXCEEDED, SOURCE_UNSUPPORTED
 */
export async function readManifest(
  table: ContentTable,
  descriptor: Descriptor,
  options: ReadOptions = {},
): Promise<Manifest> {
  const {digest, size, mediaType} = descriptor
  const file = findBlob(table, digest)
  if (file === undefined) throw missing(table, {digest, what: `manifest ${digest}`})
  const key = `${digest} ${size} ${mediaType}`
  const known = table.manifests.get(key)
  if (known !== undefined) return known
  const reading = readFrom(file, {table, descriptor, signal: options.signal})
  table.manifests.set(key, reading)
  try {
    return await reading
  } catch (error) {
    if (!isMirrorError(error) || !PER_IMAGE.has(error.code)) table.manifests.delete(key)
    throw error
  }
}

async function readFrom(
  file: StoredFile,
  {table, descriptor, signal}: ReadOptions & {readonly table: ContentTable; readonly descriptor: Descriptor},
): Promise<Manifest> {
  if (file.size > limits.manifestBytes) {
    throw overLimit(`${file.name}, a manifest, has ${file.size} bytes`, limits.manifestBytes)
  }
  if (file.size === descriptor.size) table.manifestsBytes += file.size
  if (table.manifestsBytes > limits.manifestsBytes) {
    throw overLimit(
      `with ${file.name} the manifests of the bundle have ${table.manifestsBytes} bytes`,
      limits.manifestsBytes,
    )
  }
  const read = await readAll(verifiedFile(file, descriptor, {signal}), {
    limit: limits.manifestBytes,
    what: `manifest ${descriptor.digest}`,
    signal,
  })
  table.manifestsValues += jsonShape(read).values
  if (table.manifestsValues > limits.manifestsValues) {
    throw overLimit(
      `with ${file.name} the manifests of the bundle have ${table.manifestsValues} JSON values`,
      limits.manifestsValues,
    )
  }
  // Copied, because a decoder's chunk would keep its whole buffer in memory.
  const bytes = read.length < read.buffer.byteLength ? new Uint8Array(read) : read
  try {
    return parseManifest(bytes, {
      mediaType: descriptor.mediaType,
      algorithm: algorithmOf(descriptor.digest),
    })
  } catch (error) {
    if (!isMirrorError(error)) throw error
    throw new MirrorError(error.code, `${file.name}: ${error.message}`, {
      side: 'source',
      advice: error.advice,
      cause: error,
    })
  }
}

function overLimit(what: string, limit: number): MirrorError {
  return new MirrorError('LIMIT_EXCEEDED', `${what}: over the limit of ${limit}`, {side: 'source'})
}

/**
 * Returns the manifest if it can be read. Its error is reported when its image is transferred, not while the bundle is
 * opened, so one damaged image does not affect the others.
 */
export async function peekManifest(
  table: ContentTable,
  descriptor: Descriptor,
  options: ReadOptions = {},
): Promise<Manifest | undefined> {
  if (findBlob(table, descriptor.digest) === undefined) return undefined
  try {
    return await readManifest(table, descriptor, options)
  } catch (error) {
    if (isMirrorError(error) && PER_IMAGE.has(error.code)) return undefined
    throw error
  }
}

const PER_IMAGE: ReadonlySet<string> = new Set([
  'SOURCE_UNSUPPORTED',
  'DIGEST_MISMATCH',
  'LIMIT_EXCEEDED',
  'MANIFEST_INVALID',
])
