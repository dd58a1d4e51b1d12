/** Lets readers wait until something has changed. They look for themselves at what it is. */
export class Change {
  #listeners: (() => void)[] = []

  /** Ends with the next change. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#listeners.push(resolve))
  }

  tell(): void {
    const listeners = this.#listeners
    this.#listeners = []
    for (const listener of listeners) listener()
  }
}
