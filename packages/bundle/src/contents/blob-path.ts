import {algorithmOf, hexOf, type Digest} from '@airgap-mirror/oci-client/model'

/** Returns the path of a blob in a layout (image-spec image-layout.md). A digest is validated, so it cannot lead elsewhere. */
export function blobPath({digest}: {readonly digest: Digest}): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`
}
