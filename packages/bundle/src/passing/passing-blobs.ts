import {
  cancelled,
  isMirrorError,
  type MirrorError,
  type Bytes,
  type Descriptor,
} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from '../bytes/abortable.js'
import type {ByteCursor} from '../bytes/byte-cursor.js'
import type {ReadOptions} from '../bytes/byte-source.js'
import type {Usage} from '../bytes/usage.js'
import type {Leftovers} from '../contents/archive-source.js'
import {blobPath} from '../contents/blob-path.js'
import type {TreeFile} from '../files/file-tree.js'
import {cleanPath} from '../tar/clean-path.js'
import {TYPES, type Member} from '../tar/members.js'
import {truncated} from '../tar/tar-errors.js'
import {Change} from './change.js'
import {PassingBlob, SMALL} from './passing-blob.js'
import {notInItsPlace, passed, undecodable} from './passing-errors.js'
import {firstOf, hasRoom, SmallBlobs} from './passing-memory.js'
import {Slabs} from './slabs.js'

export interface PassingOptions {
  readonly name: string
  /** The members behind the leading files, read through `cursor`. */
  readonly members: AsyncIterator<Member, number | undefined>
  readonly cursor: ByteCursor
  readonly usage: Usage
  /** Ends the stream. */
  readonly close: () => void
}

/**
 * The blobs of a stream, which are read once, in order. The stream goes on to a blob when somebody opens it. It passes
 * over blobs that nobody has announced by then, and waits for those that are announced. What an open transfer has read
 * stays in memory within a budget, small blobs longer, so that it can be read again.
 */
export class PassingBlobs implements AsyncDisposable {
  readonly access = 'in-order'
  readonly usage: Readonly<Usage>
  readonly #options: PassingOptions
  readonly #blobs: readonly PassingBlob[]
  readonly #byPath: ReadonlyMap<string, PassingBlob>
  readonly #small = new SmallBlobs()
  /** Blobs that were reached and that somebody needs. */
  readonly #held = new Set<PassingBlob>()
  /** The blob at the stream's position; its content is not begun before it is announced. */
  #at: PassingBlob | undefined
  #content: AsyncGenerator<Uint8Array, void, undefined> | undefined
  /** The first blob that the stream has not reached. */
  #next = 0
  /** The last blob that anybody has announced. */
  #announced = -1
  #pump: Promise<void> | undefined
  #failure: MirrorError | undefined
  #leftovers: {files: number; strayBytes: number} = {files: 0, strayBytes: 0}
  #isAtEnd = false
  #isDraining = false
  #isClosed = false
  readonly #end = new Change()

  constructor(blobs: readonly Descriptor[], options: PassingOptions) {
    this.#options = options
    this.usage = options.usage
    const memory = new Slabs()
    this.#blobs = blobs.map((descriptor, index) => new PassingBlob(descriptor, {index, memory}))
    this.#byPath = new Map(this.#blobs.map((blob) => [blobPath(blob.descriptor), blob]))
  }

  /** Returns the blob at a path of the layout. */
  find(path: string): TreeFile | undefined {
    const blob = this.#byPath.get(path)
    if (blob === undefined) return undefined
    const name = `${this.#options.name}: ${path}`
    const stream: TreeFile['stream'] = ({offset = 0, ...options} = {}) =>
      this.#read(blob, {...options, name, offset})
    return {
      name,
      size: blob.size,
      position: blob.index + 1,
      read: async (offset, length, options) => firstOf(stream({...options, offset}), length),
      stream,
      hold: () => this.#pin(blob),
      keep: () => this.#pin(blob),
      openArchive: async () => {
        throw new Error(`a blob of a layout was taken for an archive: ${name}`)
      },
    }
  }

  get entries(): readonly {readonly path: string; readonly size: number}[] {
    return [...this.#byPath].map(([path, {size}]) => ({path, size}))
  }

  /**
   * Reads the stream to its end, past everything that nobody needs, so that its writer and its checksums come to their ends.
   * @throws {MirrorError} the stream's errors
   */
  async readToEnd({signal}: ReadOptions = {}): Promise<Leftovers> {
    this.#isDraining = true
    const stop = (): void => this.#end.tell()
    signal?.addEventListener('abort', stop, {once: true})
    while (!this.#isAtEnd && this.#failure === undefined && !this.#isClosed) {
      throwIfAborted(signal)
      this.#wake()
      await this.#end.wait()
    }
    signal?.removeEventListener('abort', stop)
    if (this.#failure !== undefined) throw this.#failure
    return this.#leftovers
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#options.close()
    this.#tellAll()
    await this.#pump
    await this.#options.cursor.close().catch(() => undefined)
  }

  #pin(blob: PassingBlob): () => void {
    blob.pins += 1
    this.#announced = Math.max(this.#announced, blob.index)
    let isPinned = true
    return () => {
      if (!isPinned) return
      isPinned = false
      blob.pins -= 1
      this.#settle(blob)
    }
  }

  async *#read(
    blob: PassingBlob,
    options: ReadOptions & {readonly name: string; readonly offset: number},
  ): Bytes {
    const {name, offset, signal, reuseChunks = false, isKept = false} = options
    const reader = {position: offset}
    blob.readers.add(reader)
    this.#announced = Math.max(this.#announced, blob.index)
    const stop = (): void => blob.change.tell()
    signal?.addEventListener('abort', stop, {once: true})
    try {
      while (reader.position < blob.size) {
        throwIfAborted(signal)
        const bytes = blob.from(reader.position)
        if (bytes === undefined) {
          const error = this.#whyNot(blob, {name, position: reader.position})
          if (error !== undefined) throw error
          this.#wake()
          await blob.change.wait()
        } else {
          reader.position += bytes.length
          yield reuseChunks || isKept ? bytes : Uint8Array.from(bytes)
          blob.reached(reader.position)
          this.#wake()
        }
      }
    } finally {
      signal?.removeEventListener('abort', stop)
      blob.readers.delete(reader)
      this.#settle(blob)
    }
  }

  #whyNot(
    blob: PassingBlob,
    {name, position}: {readonly name: string; readonly position: number},
  ): MirrorError | undefined {
    if (this.#isClosed) return cancelled()
    if (blob.error !== undefined) return blob.error
    // Reading the stream again would not help.
    if (this.#failure !== undefined && blob.end < blob.size) return this.#failure
    if (position < blob.end || blob.state === 'passed') return passed(name, this.#options.name)
    return this.#failure
  }

  /** Drops the content of a blob that nobody needs any more, unless it is small. */
  #settle(blob: PassingBlob): void {
    if (!blob.isNeeded && blob.state !== 'ahead') {
      if (blob.size > SMALL || !blob.isWhole) blob.dropAll()
      else this.#small.keep(blob)
      this.#held.delete(blob)
    }
    this.#wake()
  }

  #wake(): void {
    this.#pump ??= this.#run()
  }

  async #run(): Promise<void> {
    // Lets a reader that is about to register do so.
    await Promise.resolve()
    try {
      for (let step = this.#step(); step !== undefined; step = this.#step()) {
        await step()
      }
    } catch (thrown) {
      this.#failure = isMirrorError(thrown) ? thrown : undecodable(this.#options.name, thrown)
    }
    // Deciding to stop and clearing the pump are one step, so no wake is lost.
    this.#pump = undefined
    if (this.#failure !== undefined) this.#tellAll()
  }

  /** Returns what is to be done now; undefined if there is nothing. */
  #step(): (() => Promise<void>) | undefined {
    if (this.#isClosed || this.#isAtEnd || this.#failure !== undefined) return undefined
    const blob = this.#at
    if (blob === undefined) {
      const isWanted = this.#blobs.some(({state, readers}) => state === 'ahead' && readers.size > 0)
      return isWanted || this.#isDraining ? () => this.#advance() : undefined
    }
    if (blob.index > this.#announced && !this.#isDraining) return undefined
    if (blob.isNeeded) return this.#hasRoomFor(blob) ? () => this.#fill(blob) : undefined
    return blob.size <= SMALL && !this.#isDraining ? () => this.#fill(blob) : async () => this.#leave(blob)
  }

  #hasRoomFor(blob: PassingBlob): boolean {
    // A reader that waits is always served, else a full memory would stop the stream for good.
    return hasRoom(this.#held) || blob.isAwaited
  }

  /** Goes to the next blob of the stream. */
  async #advance(): Promise<void> {
    const {members, cursor, name} = this.#options
    const step = await members.next()
    if (step.done === true) {
      if (step.value === undefined) throw truncated(name, cursor.position)
      for await (const part of cursor.pass(Infinity))
        this.#leftovers.strayBytes += part.some((byte) => byte !== 0) ? part.length : 0
      this.#passTo(this.#blobs.length)
      this.#isAtEnd = true
      this.#end.tell()
      return
    }
    const {header, extension, stored} = step.value
    if (TYPES[header.type] === 'directory') return
    const path = cleanPath(extension.path ?? header.path)
    const blob = path === undefined ? undefined : this.#byPath.get(path)
    if (blob === undefined || blob.state !== 'ahead' || stored !== blob.size) {
      this.#leftovers.files += 1
      return
    }
    this.#passTo(blob.index)
    this.#next = blob.index + 1
    this.#at = blob
    this.#content = cursor.pass(stored)
    blob.state = 'passing'
    this.#held.add(blob)
  }

  /** Gives up blobs that the stream does not have where they should be. */
  #passTo(index: number): void {
    for (const blob of this.#blobs.slice(this.#next, index)) {
      blob.state = 'passed'
      blob.error = notInItsPlace(this.#options.name, blob.descriptor)
      blob.change.tell()
    }
    this.#next = index
  }

  async #fill(blob: PassingBlob): Promise<void> {
    const next = blob.end < blob.size ? await this.#content?.next() : undefined
    if (next?.done === true) throw truncated(this.#options.name, this.#options.cursor.position)
    if (next !== undefined) blob.add(next.value)
    blob.change.tell()
    if (blob.end === blob.size) this.#leave(blob)
  }

  #leave(blob: PassingBlob): void {
    blob.state = 'passed'
    this.#at = undefined
    this.#content = undefined
    if (!blob.isNeeded) this.#settle(blob)
  }

  #tellAll(): void {
    this.#end.tell()
    for (const blob of this.#blobs) blob.change.tell()
  }
}
