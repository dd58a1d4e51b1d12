/** Bytes under construction, filled from the lowest bit up. At most 7 bits wait for their byte between two calls. */
export class BitOutput {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly view: DataView
  length = 0
  pending = 0
  pendingBits = 0

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  /** `count` is 24 at most. */
  put(bits: number, count: number): void {
    const pending = this.pending | (bits << this.pendingBits)
    const total = this.pendingBits + count
    this.view.setInt32(this.length, pending, true)
    this.length += total >>> 3
    this.pending = pending >>> (total & 24)
    this.pendingBits = total & 7
  }

  /** Stored blocks: their bytes as they are, at a byte boundary. None at all makes the boundary of a sync flush. */
  putStored(plain: Uint8Array): void {
    let start = 0
    do {
      const part = plain.subarray(start, start + 65_535)
      this.put(0, 3)
      if (this.pendingBits > 0) this.put(0, 8 - this.pendingBits)
      this.put(part.length, 16)
      this.put(~part.length & 0xffff, 16)
      this.bytes.set(part, this.length)
      this.length += part.length
      start += part.length
    } while (start < plain.length)
  }
}
