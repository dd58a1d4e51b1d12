/** Chunks on their way from one producer to one consumer, counted in bytes. */
export class Inbox {
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  #outcome: {readonly error?: unknown} | undefined
  #wake: (() => void) | undefined

  get bytes(): number {
    return this.#bytes
  }

  push(chunk: Uint8Array): void {
    if (this.#outcome !== undefined || chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    this.#wake?.()
  }

  end(): void {
    this.#outcome ??= {}
    this.#wake?.()
  }

  /** Fails the consumer at once, without the chunks that still wait. */
  fail(error: unknown): void {
    if (this.#outcome !== undefined && 'error' in this.#outcome) return
    this.#outcome = {error}
    this.#chunks.length = 0
    this.#bytes = 0
    this.#wake?.()
  }

  /** The next chunk; undefined after the last. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) {
        this.#bytes -= chunk.length
        return chunk
      }
      if (this.#outcome !== undefined) {
        if ('error' in this.#outcome) throw this.#outcome.error
        return undefined
      }
      await new Promise<void>((resolve) => (this.#wake = resolve))
      this.#wake = undefined
    }
  }
}
