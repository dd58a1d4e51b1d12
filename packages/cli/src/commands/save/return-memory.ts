/** A smaller download leaves little behind. */
const LEAST_BYTES = 64 * 1024 * 1024

/**
 * Collects the garbage of a download of `bytes` and gives the memory of V8's young generation back to the system. Packing makes
 * little garbage, so V8 would keep that memory, some 30 MiB, for the whole of it.
 */
export async function returnMemory({bytes}: {readonly bytes: number}): Promise<void> {
  if (bytes < LEAST_BYTES || !process.features.inspector) return
  const {Session} = await import('node:inspector/promises')
  const session = new Session()
  session.connect()
  try {
    // Unlike `gc` of V8's flags, this lets the young generation shrink.
    await session.post('HeapProfiler.collectGarbage')
  } finally {
    session.disconnect()
  }
}
