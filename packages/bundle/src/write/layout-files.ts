import {limits, type CallOptions} from '@airgap-mirror/oci-client/model'
import type {ContentStore} from './content-store.js'
import {emptyIndex, parseLayoutIndex, type LayoutIndex} from './layout-index.js'
import {ofBytes} from './write-at.js'

/** The list of images in a layout (image-spec image-layout.md). */
export const INDEX = 'index.json'
export const MARKER = 'oci-layout'

/** @throws {MirrorError} MANIFEST_INVALID if it is damaged, LIMIT_EXCEEDED, WRITE_FAILED if it cannot be read */
export async function readLayoutIndex(store: ContentStore, {signal}: CallOptions = {}): Promise<LayoutIndex> {
  const bytes = await store.read(INDEX, {limit: limits.bundleIndexBytes, signal})
  return bytes === undefined ? emptyIndex : parseLayoutIndex(bytes, store.path)
}

/** Writes the file by which a layout is recognised, unless it is there. */
export async function markLayout(store: ContentStore): Promise<void> {
  if ((await store.sizeOf(MARKER)) !== undefined) return
  const bytes = Buffer.from('{"imageLayoutVersion":"1.0.0"}')
  await store.write(MARKER, ofBytes(bytes), {size: bytes.length})
}
