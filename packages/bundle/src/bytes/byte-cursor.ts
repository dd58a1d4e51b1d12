import type {Bytes} from '@airgap-mirror/oci-client/model'

/** Reads a stream of chunks by numbers of bytes. */
export class ByteCursor {
  readonly #iterator: AsyncIterator<Uint8Array>
  #chunk: Buffer = Buffer.alloc(0)
  /** Bytes taken or passed so far. */
  position = 0

  constructor(bytes: Bytes) {
    this.#iterator = bytes[Symbol.asyncIterator]()
  }

  async atEnd(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const next = await this.#iterator.next()
      if (next.done === true) return true
      this.#chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length)
    }
    return false
  }

  /** Returns exactly `length` bytes, or undefined if the stream ends before. Meant for few bytes. */
  async take(length: number): Promise<Buffer | undefined> {
    if (length <= this.#chunk.length) return this.#next(length)
    const parts: Buffer[] = []
    for await (const part of this.pass(length)) parts.push(part)
    const bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
    return bytes.length === length ? bytes : undefined
  }

  /** Yields the next `length` bytes as they come; fewer if the stream ends before. */
  async *pass(length: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = length; left > 0 && !(await this.atEnd());) {
      const part = this.#next(left)
      left -= part.length
      yield part
    }
  }

  /** Returns at most `length` bytes of the current chunk. */
  #next(length: number): Buffer {
    const part = this.#chunk.subarray(0, length)
    this.#chunk = this.#chunk.subarray(part.length)
    this.position += part.length
    return part
  }

  async close(): Promise<void> {
    await this.#iterator.return?.()
  }
}
