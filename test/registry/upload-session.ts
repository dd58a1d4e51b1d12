import {randomBytes, randomUUID} from 'node:crypto'
import type {BlobWriter} from './storage.js'

/** Legal in a query, and changed by decoding and encoding: which hex digits, what is escaped at all, `;`. */
const FRAGILE = `%2b%2F~'(x)*!;%3d==`

/** A blob on its way in. One request at a time works on it. */
export class UploadSession {
  readonly id = randomUUID()
  readonly repository: string
  readonly writer: BlobWriter
  /** Bytes that came in, those that were thrown away included. */
  received = 0
  /** PATCH requests that were taken. */
  patches = 0
  /** The last PATCH was below the chunk minimum: only a PUT may follow. */
  shortChunk = false
  readonly #states = new Map<string, number>()
  #last: Promise<void> = Promise.resolve()

  constructor(repository: string, writer: BlobWriter) {
    this.repository = repository
    this.writer = writer
  }

  /** A new `_state` for the size reached, as it stands in the query. */
  issueState(options: {readonly fragile: boolean}): string {
    const state = randomBytes(9).toString('base64url') + (options.fragile ? FRAGILE : '')
    this.#states.set(state, this.writer.size)
    return state
  }

  /** The size when this `_state` was issued; undefined if it never was. */
  sizeAt(state: string): number | undefined {
    return this.#states.get(state)
  }

  /** Runs `work` once the requests before it are done with the session. */
  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = this.#last
    const turn = before.then(work)
    this.#last = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  }
}
