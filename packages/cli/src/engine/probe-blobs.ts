import pLimit from 'p-limit'
import {
  isInconclusive,
  isPending,
  type CallOptions,
  type Descriptor,
  type ImageSink,
} from '@airgap-mirror/oci-client/model'
import type {Plan} from './plan.js'
import {unlessDamaged, type Proof} from './probe-below.js'

/** The blobs of a plan that would have to be sent: not there, and not to be mounted. For a dry run. */
export async function probeBlobs(
  plan: Plan,
  {
    sink,
    proof,
    concurrency,
    signal,
  }: CallOptions & {readonly sink: ImageSink; readonly proof: Proof; readonly concurrency: number},
): Promise<ReadonlySet<number>> {
  const atOnce = pLimit(concurrency)
  const absent = new Set<number>()
  const first = plan.transfers.filter((transfer) => transfer.kind === 'blob' && transfer.after === undefined)
  await Promise.all(
    first.map((transfer) =>
      atOnce(async () => {
        if (transfer.kind !== 'blob' || transfer.mountFrom.length > 0) return
        const {repository, content, known} = transfer
        const blob = isPending(content) ? known : content
        if (blob === undefined || !(await isKnownThere(blob, {sink, proof, repository, signal})))
          absent.add(transfer.id)
      }),
    ),
  )
  return absent
}

/** A registry that does not say gets the blob sent. */
async function isKnownThere(
  {digest, size}: Descriptor,
  {
    sink,
    proof,
    repository,
    signal,
  }: CallOptions & {readonly sink: ImageSink; readonly proof: Proof; readonly repository: string},
): Promise<boolean> {
  try {
    const asked = {size: proof === 'content' ? size : undefined, signal}
    return await unlessDamaged(sink.hasBlob(repository, digest, asked))
  } catch (error) {
    if (isInconclusive(error)) return false
    throw error
  }
}
