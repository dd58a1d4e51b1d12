import {cancelled, type BlobSource} from '../model/index.js'

/**
 * Bytes that the fastest reader may be ahead of the slowest: enough to even out two links, and small beside a chunk.
 */
export const SHARED_BUFFER = 4 * 1024 * 1024

/**
 * Milliseconds for which readers wait for another that has not begun. It may itself wait for a connection that they
 * hold, and their sinks may time out meanwhile.
 */
const TARDY = 2000

/** Chunks of one source, kept until every reader has had them. */
export class SharedReading {
  readonly #blob: BlobSource
  readonly #abort = new AbortController()
  /** The next chunk of each reader, counted from the start. */
  readonly #cursors = new Map<symbol, number>()
  #chunks: Uint8Array[] = []
  /** Chunks that every reader has had. */
  #passed = 0
  #buffered = 0
  #source: AsyncIterator<Uint8Array> | undefined
  #isPulling = false
  #ending: {readonly failure?: unknown} | undefined
  #waiting = new Set<() => void>()
  readonly #begun = new Set<symbol>()
  #patience: NodeJS.Timeout | undefined

  constructor(blob: BlobSource) {
    this.#blob = blob
  }

  /** Returns false if it is too late to get everything from the start. */
  join(reader: symbol): boolean {
    if (this.#cursors.has(reader)) return true
    if (this.#passed > 0 || this.#ending !== undefined) return false
    this.#cursors.set(reader, 0)
    return true
  }

  /** Ends the waiting of the others for this reader. */
  leave(reader: symbol): void {
    if (!this.#cursors.delete(reader)) return
    this.#trim()
    if (this.#cursors.size === 0) this.#endPatience()
    if (this.#cursors.size > 0 || this.#source === undefined) return
    this.#ending ??= {}
    this.#abort.abort(cancelled())
    // No reader is left to report the failure to.
    this.#source.return?.().catch(() => {})
  }

  /** Undefined at the end. @throws what the source throws; CANCELLED */
  async next(reader: symbol, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
    this.#begun.add(reader)
    for (;;) {
      const cursor = this.#cursors.get(reader)
      if (signal?.aborted || cursor === undefined) throw cancelled(signal)
      const chunk = this.#chunks[cursor - this.#passed]
      if (chunk !== undefined) {
        this.#cursors.set(reader, cursor + 1)
        this.#trim()
        return chunk
      }
      if (this.#ending !== undefined) {
        if ('failure' in this.#ending) throw this.#ending.failure
        return undefined
      }
      if (this.#buffered >= SHARED_BUFFER) this.#beginPatience()
      else if (!this.#isPulling) void this.#pull()
      await this.#change()
    }
  }

  async #pull(): Promise<void> {
    this.#isPulling = true
    try {
      this.#source ??= this.#blob.open({signal: this.#abort.signal})[Symbol.asyncIterator]()
      const {done, value} = await this.#source.next()
      if (done === true) this.#ending ??= {}
      else if (value.length > 0 && this.#ending === undefined) {
        this.#chunks.push(value)
        this.#buffered += value.length
      }
    } catch (failure) {
      this.#ending ??= {failure}
    } finally {
      this.#isPulling = false
      this.#wake()
    }
  }

  #trim(): void {
    const slowest = Math.min(...this.#cursors.values())
    while (this.#passed < slowest) {
      const chunk = this.#chunks.shift()
      if (chunk === undefined) break
      this.#buffered -= chunk.length
      this.#passed += 1
    }
    if (this.#buffered < SHARED_BUFFER) this.#endPatience()
    this.#wake()
  }

  /** A reader that has not begun when the timer ends is too late, and reads separately. */
  #beginPatience(): void {
    this.#patience ??= setTimeout(() => {
      this.#patience = undefined
      for (const reader of this.#cursors.keys()) if (!this.#begun.has(reader)) this.leave(reader)
    }, TARDY).unref()
  }

  #endPatience(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve)
    })
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const resolve of waiting) resolve()
  }
}
