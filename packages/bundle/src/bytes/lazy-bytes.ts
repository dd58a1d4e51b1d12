import type {Bytes} from '@airgap-mirror/oci-client/model'
import {abortable, throwIfAborted} from './abortable.js'
import type {ByteSource, ReadOptions} from './byte-source.js'

export interface LazyBytesOptions {
  readonly name: string
  /** The access that the source will have once it is open. */
  readonly access: ByteSource['access']
  readonly size: number
  readonly open: () => Promise<ByteSource>
}

interface Hold {
  readonly offset: number
  release?: () => void
}

const UNUSED = {decoded: 0, scratchPeak: 0}

/** A source that is opened by its first read, because opening may cost the decoding of all of it. */
export class LazyBytes implements ByteSource {
  readonly name: string
  readonly #options: LazyBytesOptions
  readonly #holds = new Set<Hold>()
  #opening: Promise<ByteSource> | undefined
  #source: ByteSource | undefined

  constructor(options: LazyBytesOptions) {
    this.#options = options
    this.name = options.name
  }

  get access(): ByteSource['access'] {
    return this.#source?.access ?? this.#options.access
  }

  get usage(): ByteSource['usage'] {
    return this.#source?.usage ?? UNUSED
  }

  /** Returns the open source. @throws the errors of opening, to every caller */
  opened(): Promise<ByteSource> {
    this.#opening ??= this.#options.open().then((source) => {
      this.#source = source
      for (const hold of this.#holds) hold.release = source.hold(hold.offset)
      return source
    })
    return this.#opening
  }

  async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    throwIfAborted(options.signal)
    const source = await abortable(this.opened(), options.signal)
    return source.read(offset, length, options)
  }

  async *stream(offset: number, length: number, options: ReadOptions = {}): Bytes {
    throwIfAborted(options.signal)
    const source = await abortable(this.opened(), options.signal)
    yield* source.stream(offset, length, options)
  }

  hold(offset: number): () => void {
    if (this.#source !== undefined) return this.#source.hold(offset)
    const hold: Hold = {offset}
    this.#holds.add(hold)
    return () => {
      this.#holds.delete(hold)
      hold.release?.()
    }
  }

  async size(): Promise<number> {
    return this.#options.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // An error of opening was already thrown to the reader that caused it.
    const source = await this.#opening?.catch(() => undefined)
    await source?.[Symbol.asyncDispose]()
  }
}
