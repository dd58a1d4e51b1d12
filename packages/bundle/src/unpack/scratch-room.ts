/** A limit of the scratch that several files share, in bytes. */
export class ScratchRoom {
  #free: number

  constructor(limit: number) {
    this.#free = limit
  }

  has(bytes: number): boolean {
    return bytes <= this.#free
  }

  /** @returns false, and takes nothing, if so much is not left */
  take(bytes: number): boolean {
    if (!this.has(bytes)) return false
    this.#free -= bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#free += bytes
  }
}
