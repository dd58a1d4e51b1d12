import {randomUUID} from 'node:crypto'
import type {IncomingHttpHeaders} from 'node:http'
import type {BlobWriter} from './blob-writer.js'

/** A blob on its way in. One request at a time works on it. */
export class UploadSession {
  readonly id = randomUUID()
  readonly repository: string
  readonly writer: BlobWriter
  /** The time of the last request that worked on it, in milliseconds since the epoch. */
  usedAt = Date.now()
  #last: Promise<void> = Promise.resolve()

  constructor(repository: string, writer: BlobWriter) {
    this.repository = repository
    this.writer = writer
  }

  /** Returns the address for the next request. It names no host, so that it holds behind a proxy, too. */
  location(_headers: IncomingHttpHeaders): string {
    return `/v2/${this.repository}/blobs/uploads/${this.id}`
  }

  /** Runs `work` once the requests before it are done with the session. */
  async exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = this.#last
    const turn = before.then(work).finally(() => {
      this.usedAt = Date.now()
    })
    this.#last = turn.then(
      () => undefined,
      () => undefined,
    )
    return turn
  }
}
