import pLimit from 'p-limit'

/** Lets a number of readers in at once; the others wait for their turn. */
export class ReadingTurns {
  readonly #limit: ReturnType<typeof pLimit>

  constructor(atOnce: number) {
    this.#limit = pLimit(atOnce)
  }

  /** @returns a function that ends the turn */
  take(): Promise<() => void> {
    return new Promise((begin) => {
      void this.#limit(() => new Promise<void>((end) => begin(() => end())))
    })
  }
}
