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

/** A blob on its way into a file. */
export interface IncomingBlob {
  /** What it holds, verified: the end is reached only where it is what it should be. Opened when it is first asked for. */
  readonly bytes: Bytes
  /** Once the end was reached. */
  readonly descriptor: () => Descriptor
}

/** Reads a blob from its start; the digest of a pending layer is made on the way. */
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
