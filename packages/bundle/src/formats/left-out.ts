import {limits, readAll, type Descriptor, type Digest} from '@airgap-mirror/oci-client/model'
import {findBlob, type ContentTable} from '../contents/content-table.js'
import type {ReadContext} from '../formats/read-context.js'
import {missing, verifiedFile} from '../contents/verified-file.js'
import {isAbsentContent, parseAbsentContent} from '../contents/absent-content.js'

/**
 * Reads the list of left-out blobs of a delta bundle into the table. @returns the other descriptors, which are images
 * @throws {MirrorError} MANIFEST_INVALID, LIMIT_EXCEEDED, SOURCE_UNSUPPORTED, BLOB_MISSING, DIGEST_MISMATCH
 */
export async function withoutAbsentContent(
  descriptors: readonly Descriptor[],
  {table, signal}: ReadContext,
): Promise<readonly Descriptor[]> {
  for (const list of descriptors.filter(isAbsentContent)) {
    for (const blob of parseAbsentContent(await bytesOf(list, {table, signal}), list))
      noteLeftOut(table, blob)
  }
  return descriptors.filter((descriptor) => !isAbsentContent(descriptor))
}

async function bytesOf(
  list: Descriptor,
  {table, signal}: Pick<ReadContext, 'table' | 'signal'>,
): Promise<Uint8Array> {
  const what = 'the list of blobs that the bundle leaves out'
  const file = findBlob(table, list.digest)
  if (file === undefined) throw missing(table, {digest: list.digest, what})
  return readAll(verifiedFile(file, list, {signal}), {limit: limits.bundleIndexBytes, what, signal})
}

function noteLeftOut(table: ContentTable, blob: Descriptor): void {
  const {digest} = blob
  table.leftOut.set(digest, blob)
  table.absent.set(digest, {message: messageFor(digest), advice: {kind: 'complete-archive'}})
}

function messageFor(digest: Digest): string {
  return `blob ${digest} was left out of this bundle, since the registry was to have it already`
}
