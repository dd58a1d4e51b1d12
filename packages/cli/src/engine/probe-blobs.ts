import pLimit from 'p-limit'
import {
  isInconclusive,
  isPending,
  type CallOptions,
  type Digest,
  type ImageSink,
} from '@airgap-mirror/oci-client/model'
import type {Plan} from './plan.js'

/** The blobs of a plan that would have to be sent: not there, and not to be mounted. For a dry run. */
export async function probeBlobs(
  plan: Plan,
  {sink, concurrency, signal}: CallOptions & {readonly sink: ImageSink; readonly concurrency: number},
): Promise<ReadonlySet<number>> {
  const atOnce = pLimit(concurrency)
  const absent = new Set<number>()
  const first = plan.transfers.filter((transfer) => transfer.kind === 'blob' && transfer.after === undefined)
  await Promise.all(
    first.map((transfer) =>
      atOnce(async () => {
        if (transfer.kind !== 'blob' || transfer.mountFrom.length > 0) return
        const {repository, content, known} = transfer
        const digest = isPending(content) ? known?.digest : content.digest
        if (digest === undefined || !(await isKnownThere(digest, {sink, repository, signal})))
          absent.add(transfer.id)
      }),
    ),
  )
  return absent
}

/** A registry that does not say gets the blob sent. */
async function isKnownThere(
  digest: Digest,
  {sink, repository, signal}: CallOptions & {readonly sink: ImageSink; readonly repository: string},
): Promise<boolean> {
  try {
    return await sink.hasBlob(repository, digest, {signal})
  } catch (error) {
    if (isInconclusive(error)) return false
    throw error
  }
}
