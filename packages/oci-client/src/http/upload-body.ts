import type {Bytes} from '../model/index.js'

export interface UploadBodyOptions {
  /** Bytes that the source will yield, if known. */
  readonly length: number | undefined
  /** Milliseconds a piece may wait to be taken. */
  readonly stall: number
  readonly onStall: () => void
  /** Called once everything is handed over, when the wait for the answer begins. */
  readonly onComplete: () => void
}

/** Small enough that a slow link takes a piece well within the stall time. */
const PIECE = 256 * 1024
const NOTHING = new Uint8Array(0)

type Piece = IteratorResult<Uint8Array, undefined>

/**
 * A source of bytes in the form that undici needs. It can be halted while the response is read: undici does not close an
 * iterator that it waits for, and a failing body takes the response along.
 * The last bytes are held back until the source has ended without an error, so content with a wrong checksum is never
 * sent whole.
 */
export class UploadBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #options: UploadBodyOptions
  #rest: Uint8Array = NOTHING
  #taken = 0
  #ended = false
  #halted = false
  #told = false
  #failure: {readonly error: unknown} | undefined
  #release: ((error: Error) => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(source: Bytes, options: UploadBodyOptions) {
    this.#source = source[Symbol.asyncIterator]()
    this.#options = options
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** True if every byte was handed over. */
  get complete(): boolean {
    const {length} = this.#options
    return this.#rest.length === 0 && (this.#ended || (length !== undefined && this.#taken === length))
  }

  /** The error of the source. */
  get failure(): {readonly error: unknown} | undefined {
    return this.#failure
  }

  /**
   * Waits until the source has given its first bytes.
   * @throws the error of the source
   */
  async begin(): Promise<void> {
    try {
      if (!this.#halted) await this.#fill()
    } catch (error) {
      this.#failure ??= {error}
      throw error
    }
  }

  /** Closes the source and hands no more bytes over: a reader waits until `release`. */
  halt(): void {
    if (this.#halted) return
    this.#halted = true
    clearTimeout(this.#timer)
    if (!this.#ended && this.#failure === undefined) this.#close()
  }

  /** Ends the wait of a pending reader. */
  release(): void {
    this.halt()
    this.#release?.(new Error('the upload was halted'))
  }

  next(): Promise<Piece> {
    clearTimeout(this.#timer)
    return new Promise((resolve, reject) => {
      this.#release = reject
      if (!this.#halted) void this.#deliver(resolve, reject)
    })
  }

  return(): Promise<Piece> {
    this.halt()
    return Promise.resolve({done: true, value: undefined})
  }

  async #deliver(resolve: (piece: Piece) => void, reject: (error: unknown) => void): Promise<void> {
    try {
      const piece = await this.#piece()
      if (this.#halted) return
      if (piece.done !== true) this.#timer = setTimeout(this.#options.onStall, this.#options.stall).unref()
      if (this.complete && !this.#told) {
        this.#told = true
        this.#options.onComplete()
      }
      resolve(piece)
    } catch (error) {
      this.#failure ??= {error}
      if (!this.#halted) reject(error)
    }
  }

  async #piece(): Promise<Piece> {
    if (this.#rest.length === 0 && !this.#ended) await this.#fill()
    if (this.#rest.length === 0) return {done: true, value: undefined}
    const value = this.#rest.subarray(0, PIECE)
    this.#rest = this.#rest.subarray(PIECE)
    return {done: false, value}
  }

  async #fill(): Promise<void> {
    const {length} = this.#options
    const bytes = await this.#pull()
    this.#taken += bytes.length
    if (length !== undefined) {
      if (bytes.length > 0 && this.#taken === length) this.#taken += (await this.#pull()).length
      if (this.#taken > length || (this.#ended && this.#taken < length)) {
        this.#close()
        throw new Error(`a body said to have ${length} bytes has ${this.#taken}`)
      }
    }
    this.#rest = bytes
  }

  /** Returns the next bytes; none at the end. */
  async #pull(): Promise<Uint8Array> {
    for (;;) {
      const result = await this.#source.next()
      if (result.done === true) {
        this.#ended = true
        return NOTHING
      }
      if (result.value.length > 0) return result.value
    }
  }

  #close(): void {
    this.#ended = true
    Promise.resolve(this.#source.return?.()).catch((error: unknown) => {
      this.#failure ??= {error}
    })
  }
}
