/** Lets callers in one after another, in the order of their calls. */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** Takes the place in the queue at the call itself. @returns a function that ends the turn */
  take(): Promise<() => void> {
    const before = this.#last
    let end: () => void = () => {}
    this.#last = new Promise((resolve) => (end = resolve))
    return before.then(() => end)
  }
}
