/** Lets callers in one after another, in the order in which they have asked. */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** The place in the queue is taken by the call itself. @returns what ends the turn */
  take(): Promise<() => void> {
    const before = this.#last
    let end: () => void = () => {}
    this.#last = new Promise((resolve) => (end = resolve))
    return before.then(() => end)
  }
}
