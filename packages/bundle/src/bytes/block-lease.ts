/** A decoded block in use. Its bytes must not be touched after `release`, which may be called more than once. */
export interface BlockLease {
  readonly bytes: Uint8Array
  readonly isReleased: boolean
  /** Settles when the whole block is decoded and proven. */
  readonly whole: Promise<void>
  /** @param options.quietly admits no waiter yet; only for `BlockCache.acquire` */
  readonly release: (options?: {readonly quietly?: boolean}) => void
}

/** @param unpin called once */
export function leaseOf(
  {bytes, ready}: {readonly bytes: Uint8Array; readonly ready: Promise<void>},
  unpin: (quietly: boolean) => void,
): BlockLease {
  let pinned = true
  return {
    bytes,
    whole: ready,
    get isReleased() {
      return !pinned
    },
    release: ({quietly = false} = {}) => {
      if (!pinned) return
      pinned = false
      unpin(quietly)
    },
  }
}
