/**
 * One hostile archive. `expected` is what opening it and reading everything in it comes to: the code of the error that
 * opening ends with, or for each image its name and `whole`, or its name and the code that reading it ends with.
 */
export interface HostileCase {
  readonly name: string
  readonly made: string
  readonly make: () => Uint8Array | Promise<Uint8Array>
  readonly expected: string | RegExp
}

/** The outcome of reading a bundle file, as reported by the child process. */
export interface Reading {
  readonly outcome: string
  /** The code of the error that opening ended with. */
  readonly message: string
  /** Bytes by which the process grew. */
  readonly growth: number
}
