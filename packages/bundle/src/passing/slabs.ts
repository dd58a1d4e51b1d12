/** The size of a slab: a large chunk for a reader, and a small part of the memory of a stream. */
export const SLAB_BYTES = 1024 * 1024

/**
 * Memory for passing content, which is used again. Node.js frees buffers that have lived for a while only by a full
 * collection of its heap, and a stream would cause one for every few tens of megabytes.
 */
export class Slabs {
  readonly #spare: Uint8Array[] = []

  /** Returns a slab with any content. */
  take(): Uint8Array {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
  }

  /** Takes back slabs that nobody reads any more. */
  giveBack(slabs: readonly Uint8Array[]): void {
    this.#spare.push(...slabs)
  }
}
