import {createHash} from 'node:crypto'
import {
  digestFrom,
  isPending,
  verified,
  type BlobSource,
  type Bytes,
  type Descriptor,
  type PutBlobOptions,
} from '@airgap-mirror/oci-client/model'

/** A blob that is being written into a file. */
export interface IncomingBlob {
  /** The verified content: it ends without an error only if it is complete and correct. Opened at the first read. */
  readonly bytes: Bytes
  /** Available after the end of `bytes`. */
  readonly descriptor: () => Descriptor
}

/** Reads a blob from its start; the digest of a pending layer is computed meanwhile. */
export function incomingBlob(blob: BlobSource, {signal, onProgress}: PutBlobOptions): IncomingBlob {
  const {content} = blob
  const hash = createHash('sha256')
  let size = 0
  async function* observed(): Bytes {
    const opened = blob.open({signal})
    const bytes = isPending(content) ? opened : verified(opened, content, {what: `blob ${content.digest}`})
    for await (const chunk of bytes) {
      size += chunk.length
      if (isPending(content)) hash.update(chunk)
      onProgress?.(size)
      yield chunk
    }
  }
  return {
    bytes: observed(),
    descriptor: () =>
      isPending(content) ? {mediaType: content.mediaType, digest: digestFrom(hash.copy()), size} : content,
  }
}
