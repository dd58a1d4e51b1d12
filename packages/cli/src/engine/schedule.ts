import type {BlobTransfer} from './plan.js'

/**
 * The order in which blobs are started. Over an in-order source the archive's own, so that everything is read about once;
 * where access is random the biggest first, which shortens the tail. Transfers that wait for another are left out: they
 * become ready when that one has ended.
 */
export function startOrder(
  blobs: readonly BlobTransfer[],
  access: 'random' | 'blocks' | 'in-order',
): readonly BlobTransfer[] {
  const first = blobs.filter(({after}) => after === undefined)
  const byPosition = (a: BlobTransfer, b: BlobTransfer): number => a.position - b.position || a.id - b.id
  const bySize = (a: BlobTransfer, b: BlobTransfer): number => b.content.size - a.content.size || a.id - b.id
  return first.sort(access === 'random' ? bySize : byPosition)
}

/** Returns true if a stopping run should finish the transfer: at least 80% is sent, or at most 16 MiB are left. */
export function isNearlyDone(sent: number, size: number): boolean {
  return sent > 0 && (size - sent <= 16 * 1024 * 1024 || sent / size >= 0.8)
}
