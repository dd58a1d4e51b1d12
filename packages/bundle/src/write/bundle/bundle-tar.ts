import {verified, type Bytes, type Descriptor} from '@airgap-mirror/oci-client/model'
import {blobPath} from '../../contents/blob-path.js'
import {BLOCK_BYTES, tarPadding} from '../../tar/header.js'
import {tarFileHeader} from '../tar-file-header.js'

export interface BundleTarOptions {
  /** Files before the blobs, in this order. */
  readonly leading: ReadonlyMap<string, Uint8Array>
  readonly blobs: readonly Descriptor[]
  readonly open: (blob: Descriptor) => Bytes
}

/**
 * Yields a layout as a tar, with the same bytes for the same content.
 * @throws {MirrorError} DIGEST_MISMATCH or SOURCE_TRUNCATED for a damaged blob
 */
export async function* bundleTar({leading, blobs, open}: BundleTarOptions): Bytes {
  for (const [path, bytes] of leading) {
    yield await tarFileHeader(path, bytes.length)
    yield bytes
    yield new Uint8Array(tarPadding(bytes.length))
  }
  for (const blob of blobs) {
    yield await tarFileHeader(blobPath(blob), blob.size)
    yield* verified(open(blob), blob, {what: `blob ${blob.digest}`})
    yield new Uint8Array(tarPadding(blob.size))
  }
  yield new Uint8Array(2 * BLOCK_BYTES)
}
