/**
 * Memory for blocks that is used again and again. A new buffer for each block would wait for the garbage collector, which does
 * not know how large it is.
 */
export class BlockBuffers {
  readonly #plainBytes: number
  readonly #roomBytes: number
  readonly #spare: ArrayBuffer[] = []

  /** @param roomBytes the size of a buffer, with room for a packed block that became longer */
  constructor(plainBytes: number, roomBytes: number) {
    this.#plainBytes = plainBytes
    this.#roomBytes = roomBytes
  }

  /** Returns a block to fill; its bytes are undefined. */
  lease(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(this.#roomBytes), 0, this.#plainBytes)
  }

  /** Takes back the memory of a leased block, which may hold its packed bytes. */
  giveBack({buffer}: Uint8Array<ArrayBuffer>): void {
    this.#spare.push(buffer)
  }

  /** Leaves the spare buffers to the garbage collector. */
  drop(): void {
    this.#spare.length = 0
  }
}
