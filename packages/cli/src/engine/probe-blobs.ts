import pLimit from 'p-limit'
import {isPending, type CallOptions, type ImageSink} from '@airgap-mirror/oci-client/model'
import type {Plan} from './plan.js'

/** Of a plan's blobs, those that would have to be sent: not there, and not to be mounted. For a dry run. */
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
        if (digest === undefined || !(await sink.hasBlob(repository, digest, {signal})))
          absent.add(transfer.id)
      }),
    ),
  )
  return absent
}
