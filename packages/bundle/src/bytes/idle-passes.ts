/**
 * Decoders that stand still with nobody waiting for them. Each costs memory (its window, a thread), and a bundle may hold
 * hundreds of archives: only the last few are kept, in case their readers go on where they stopped.
 */
export class IdlePasses {
  readonly #limit: number
  readonly #closers = new Set<() => void>()

  constructor(limit = 4) {
    this.#limit = limit
  }

  /** A decoder stands still; `close` is called when others have come after it. */
  rest(close: () => void): void {
    this.#closers.delete(close)
    this.#closers.add(close)
    if (this.#closers.size <= this.#limit) return
    const [oldest] = this.#closers
    if (oldest === undefined) return
    this.#closers.delete(oldest)
    oldest()
  }

  /** It goes on, or has ended. */
  resume(close: () => void): void {
    this.#closers.delete(close)
  }
}
