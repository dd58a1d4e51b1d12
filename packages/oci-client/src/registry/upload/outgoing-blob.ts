import {createHash, type Hash} from 'node:crypto'
import {whenAborted} from '../../http/when-aborted.js'
import {
  digestFrom,
  isPending,
  MirrorError,
  type BlobSource,
  type Bytes,
  type Digest,
} from '../../model/index.js'

export interface OutgoingOptions {
  /** Bytes that the registry has already. */
  readonly offset: number
  readonly signal: AbortSignal | undefined
  /** Limits the rate of all uploads together. */
  readonly paced: (bytes: Bytes, signal: AbortSignal) => Bytes
  /** Called with the bytes of the blob handed to the transport, counted from its start. */
  readonly onProgress: (position: number) => void
}

/** Sources may yield megabytes at once. Smaller pieces keep the position close to the bytes really sent. */
const PIECE = 256 * 1024

/**
 * One reading of a blob on its way to the registry, cut into request bodies by `take`.
 * The last byte leaves only after the source has verified the whole, so that no request completes with wrong content.
 */
export class OutgoingBlob {
  /** The source's error: the reason why a request broke off, and never a reason to retry. */
  failure: {readonly error: unknown} | undefined
  /** Bytes of the blob handed to the transport so far, counted from its start. */
  position: number
  /** True once all bytes were handed out. */
  ended = false
  readonly #blob: BlobSource
  readonly #options: OutgoingOptions
  readonly #source: AsyncIterator<Uint8Array>
  readonly #abort = new AbortController()
  readonly #hash: Hash | undefined
  readonly #detach: () => void
  #ahead: Uint8Array[] = []
  /** Bytes read from the source, counted from the blob's start. */
  #read: number
  #done = false

  constructor(blob: BlobSource, options: OutgoingOptions) {
    this.#blob = blob
    this.#options = options
    this.position = options.offset
    this.#detach = whenAborted(options.signal, () => this.#abort.abort(options.signal?.reason))
    const {signal} = this.#abort
    // The digest of a pending layer needs every byte from the start, even if the registry already has some.
    this.#hash = isPending(blob.content) ? createHash('sha256') : undefined
    this.#read = this.#hash === undefined ? options.offset : 0
    this.#source = options.paced(blob.open({signal, offset: this.#read}), signal)[Symbol.asyncIterator]()
  }

  /** Returns digest and size of a pending layer, once it has ended. */
  made(): {readonly digest: Digest; readonly size: number} | undefined {
    return this.#hash !== undefined && this.#done
      ? {digest: digestFrom(this.#hash.copy()), size: this.#read}
      : undefined
  }

  /** Yields the next `length` bytes, fewer only at the end; the body of one request. */
  async *take(length: number): AsyncGenerator<Uint8Array, void, undefined> {
    let left = length
    while (left > 0) {
      const chunk = await this.#next()
      if (chunk === undefined) break
      const piece = chunk.subarray(0, Math.min(left, PIECE))
      if (piece.length < chunk.length) this.#ahead.unshift(chunk.subarray(piece.length))
      left -= piece.length
      this.position += piece.length
      this.#options.onProgress(this.position)
      this.ended = this.#done && this.#ahead.length === 0
      yield piece
    }
    this.ended = this.#done && this.#ahead.length === 0
  }

  /**
   * Reads ahead, and returns all remaining bytes if they are at most `limit`, else undefined. `take` still yields them.
   */
  async peek(limit: number): Promise<Uint8Array | undefined> {
    const chunks: Uint8Array[] = []
    let size = 0
    while (size <= limit) {
      const chunk = await this.#next()
      if (chunk === undefined) break
      chunks.push(chunk)
      size += chunk.length
    }
    this.#ahead = [...chunks, ...this.#ahead]
    return size <= limit ? Buffer.concat(chunks, size) : undefined
  }

  /** Stops the source, even while it waits. */
  async close(): Promise<void> {
    this.#detach()
    if (!this.#done) this.#abort.abort()
    try {
      await this.#source.return?.()
    } catch (error) {
      this.failure ??= {error}
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    const ahead = this.#ahead.shift()
    if (ahead !== undefined) return ahead
    while (!this.#done) {
      const chunk = await this.#pull()
      if (chunk === undefined) return undefined
      const start = this.#read - chunk.length
      const wanted = chunk.subarray(Math.max(0, this.#options.offset - start))
      if (wanted.length > 0) return wanted
    }
    return undefined
  }

  async #pull(): Promise<Uint8Array | undefined> {
    try {
      const result = await this.#source.next()
      if (result.done === true) {
        this.#end()
        return undefined
      }
      this.#read += result.value.length
      this.#hash?.update(result.value)
      const {content} = this.#blob
      if (!isPending(content) && this.#read >= content.size) await this.#confirmEnd(content.size)
      return result.value
    } catch (error) {
      this.failure ??= {error}
      throw error
    }
  }

  #end(): void {
    const {content} = this.#blob
    if (!isPending(content) && this.#read < content.size) {
      throw new MirrorError(
        'SOURCE_TRUNCATED',
        `${content.digest} ends after ${this.#read} of ${content.size} bytes`,
        {side: 'source'},
      )
    }
    this.#done = true
  }

  /** Waits until the source has verified its content, before the last bytes leave. */
  async #confirmEnd(size: number): Promise<void> {
    if (this.#read > size) throw tooLong(size)
    for (;;) {
      const rest = await this.#source.next()
      if (rest.done === true) break
      if (rest.value.length > 0) throw tooLong(size)
    }
    this.#done = true
  }
}

function tooLong(size: number): MirrorError {
  return new MirrorError('DIGEST_MISMATCH', `a blob is longer than the ${size} bytes it should have`, {
    side: 'source',
  })
}
