import {isMirrorError, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import {abortable, throwIfAborted} from '../bytes/abortable.js'
import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'
import {endsBefore, fileBytes} from '../bytes/file-bytes.js'
import type {Level} from '../bytes/level.js'
import type {Packing} from '../bytes/packing.js'
import type {Usage} from '../bytes/usage.js'
import {openScratchFile, type Scratch, type ScratchFile} from './scratch-file.js'

export interface SpoolOptions {
  readonly name: string
  readonly scratch: Scratch
  readonly usage: Usage
  /** Begins the bytes, which are read without a pause to their end, or until the signal is aborted. */
  readonly plain: (options: {readonly signal: AbortSignal}) => Bytes
  /** Returns the source to read if scratch fails. Absent: then reading fails, too. */
  readonly instead?: (error: MirrorError) => ByteSource
  /** Called once, when all bytes are in scratch or the spool is closed; not if there is another source instead. */
  readonly onEnd?: () => Promise<void>
}

/** A stream on its way into a scratch file. Each of its bytes can be read, in any order, as soon as it has passed. */
export class Spool implements ByteSource {
  readonly name: string
  readonly usage: Readonly<Usage>
  level?: Level
  packing?: Packing
  readonly #options: SpoolOptions
  readonly #closing = new AbortController()
  readonly #filling: Promise<void>
  #file: ScratchFile | undefined
  #written = 0
  #outcome: {readonly error?: unknown} | undefined
  #instead: ByteSource | undefined
  /** Resolved when more bytes have passed or there are no more to come. */
  #progress: Promise<void>
  #resolve: () => void = () => {}

  constructor(options: SpoolOptions) {
    this.#options = options
    this.name = options.name
    this.usage = options.usage
    this.#progress = this.#next()
    this.#filling = this.#fill()
  }

  get access(): ByteSource['access'] {
    return this.#instead?.access ?? 'random'
  }

  async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    await this.#reach(offset + length, options)
    if (this.#instead !== undefined) return this.#instead.read(offset, length, options)
    try {
      return await this.#bytes().read(offset, length, options)
    } catch (error) {
      return this.#insteadOf(error).read(offset, length, options)
    }
  }

  async *stream(offset: number, length: number, options: ReadOptions = {}): Bytes {
    const end = offset + length
    for (let at = offset; at < end;) {
      await this.#reach(at + 1, options)
      if (this.#instead !== undefined) {
        yield* this.#instead.stream(at, end - at, options)
        return
      }
      if (this.#written <= at) throw endsBefore(this.name, {size: this.#written, wanted: end})
      try {
        for await (const chunk of this.#bytes().stream(at, Math.min(end, this.#written) - at, options)) {
          at += chunk.length
          yield chunk
        }
      } catch (error) {
        this.#insteadOf(error)
      }
    }
  }

  hold(offset: number): () => void {
    return this.#instead?.hold(offset) ?? (() => {})
  }

  async size(options: ReadOptions = {}): Promise<number> {
    await this.#reach(Infinity, options)
    return this.#instead?.size(options) ?? this.#written
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return
    const isWhole = this.#outcome !== undefined && this.#outcome.error === undefined
    this.#closing.abort(new MirrorError('CANCELLED', `${this.name} was closed`, {side: 'source'}))
    await this.#filling
    await this.#file?.dispose()
    await this.#instead?.[Symbol.asyncDispose]()
    if (this.#instead === undefined && !isWhole) await this.#options.onEnd?.()
  }

  async #fill(): Promise<void> {
    const {plain, scratch, usage, onEnd} = this.#options
    const {signal} = this.#closing
    try {
      const file = await openScratchFile(scratch)
      this.#file = file
      for await (const chunk of plain({signal})) {
        throwIfAborted(signal)
        await file.append(chunk)
        this.#written += chunk.length
        usage.scratchPeak = Math.max(usage.scratchPeak, this.#written)
        this.#tell()
      }
      await onEnd?.()
      this.#outcome = {}
    } catch (error) {
      await this.#failed(error)
    }
    this.#tell()
  }

  /** Bytes that have passed stay readable, unless scratch itself is the reason. */
  async #failed(error: unknown): Promise<void> {
    const isScratch = isMirrorError(error) && (error.code === 'SCRATCH_FULL' || error.code === 'WRITE_FAILED')
    if (isScratch) this.#instead = this.#options.instead?.(error)
    this.#outcome = {error}
    if (isScratch) await this.#file?.dispose()
    if (isScratch) this.#file = undefined
  }

  /** Waits until the bytes before `offset` have passed, or the stream has ended. @throws the error that ended it */
  async #reach(offset: number, {signal}: ReadOptions): Promise<void> {
    throwIfAborted(signal)
    throwIfAborted(this.#closing.signal)
    while (this.#written < offset && this.#outcome === undefined) await abortable(this.#progress, signal)
    throwIfAborted(this.#closing.signal)
    const isLost = this.#written < offset || this.#file === undefined
    if (this.#instead === undefined && isLost && this.#outcome?.error !== undefined) throw this.#outcome.error
  }

  #bytes(): ByteSource {
    if (this.#file === undefined) throw new Error(`${this.name} has no scratch file`)
    return fileBytes(this.#file.handle, {name: this.name, size: this.#written})
  }

  /** Returns the source that took the place of scratch while it was read. @throws any other error of reading */
  #insteadOf(error: unknown): ByteSource {
    throwIfAborted(this.#closing.signal)
    if (this.#instead === undefined) throw error
    return this.#instead
  }

  #next(): Promise<void> {
    return new Promise((resolve) => (this.#resolve = resolve))
  }

  #tell(): void {
    const resolve = this.#resolve
    this.#progress = this.#next()
    resolve()
  }
}
