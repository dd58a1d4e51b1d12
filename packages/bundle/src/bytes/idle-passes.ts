/**
 * Decoders that stand still because no reader waits. Each costs memory (its window, a thread), and a bundle may hold
 * hundreds of archives. So only the last few are kept, in case their readers go on.
 */
export class IdlePasses {
  readonly #limit: number
  readonly #closers = new Set<() => void>()

  constructor(limit = 4) {
    this.#limit = limit
  }

  /** Registers a decoder that stands still. `close` is called after enough other decoders have been registered. */
  rest(close: () => void): void {
    this.#closers.delete(close)
    this.#closers.add(close)
    if (this.#closers.size <= this.#limit) return
    const [oldest] = this.#closers
    if (oldest === undefined) return
    this.#closers.delete(oldest)
    oldest()
  }

  /** Removes a decoder that goes on or has ended. */
  resume(close: () => void): void {
    this.#closers.delete(close)
  }
}
