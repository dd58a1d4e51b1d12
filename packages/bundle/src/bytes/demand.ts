import {Inbox} from './inbox.js'
import {endsBefore} from './file-bytes.js'

/** The most bytes that may wait for a slow reader while the decoder serves others. */
const BUFFER_BYTES = 8 * 1024 * 1024

export interface DemandRange {
  readonly name: string
  readonly start: number
  readonly end: number
  /** The outcome if the source ends before `end`: an error, or fewer bytes. */
  readonly atEnd: 'fail' | 'short'
}

/** A reader that waits for bytes of an in-order source. `position` is the offset of the next byte to hand over. */
export class Demand {
  readonly start: number
  position: number
  done = false
  readonly inbox = new Inbox()
  readonly #range: DemandRange

  constructor(range: DemandRange) {
    this.#range = range
    this.start = range.start
    this.position = range.start
  }

  get end(): number {
    return this.#range.end
  }

  get full(): boolean {
    return this.inbox.bytes >= BUFFER_BYTES
  }

  /** Takes the bytes it needs from a chunk that begins at `position`. */
  take(bytes: Uint8Array): void {
    const part = bytes.subarray(0, Math.min(bytes.length, this.#range.end - this.position))
    this.position += part.length
    this.inbox.push(part)
    if (this.position === this.#range.end) this.#finish()
  }

  /** Ends the demand because the source has only `size` bytes. */
  ended(size: number): void {
    if (this.#range.atEnd === 'fail') this.fail(endsBefore(this.#range.name, {size, wanted: this.#range.end}))
    else this.#finish()
  }

  fail(error: unknown): void {
    this.done = true
    this.inbox.fail(error)
  }

  #finish(): void {
    this.done = true
    this.inbox.end()
  }
}
