import {
  cancelled,
  isMirrorError,
  messageOf,
  MirrorError,
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
import {PassingBlob, SMALL} from './passing-blob.js'
import {firstOf, hasRoom, SmallBlobs} from './passing-memory.js'

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
  #listeners: (() => void)[] = []

  constructor(blobs: readonly Descriptor[], options: PassingOptions) {
    this.#options = options
    this.usage = options.usage
    this.#blobs = blobs.map((descriptor, index) => new PassingBlob(descriptor, index))
    this.#byPath = new Map(this.#blobs.map((blob) => [blobPath(blob.descriptor), blob]))
  }

  /** Returns the blob at a path of the layout. */
  find(path: string): TreeFile | undefined {
    const blob = this.#byPath.get(path)
    if (blob === undefined) return undefined
    const name = `${this.#options.name}: ${path}`
    const stream: TreeFile['stream'] = ({offset = 0, signal} = {}) => this.#read(blob, {name, offset, signal})
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
    const stop = (): void => this.#notify()
    signal?.addEventListener('abort', stop, {once: true})
    while (!this.#isAtEnd && this.#failure === undefined && !this.#isClosed) {
      throwIfAborted(signal)
      this.#wake()
      await this.#change()
    }
    signal?.removeEventListener('abort', stop)
    if (this.#failure !== undefined) throw this.#failure
    return this.#leftovers
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#options.close()
    this.#notify()
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
    {name, offset, signal}: ReadOptions & {readonly name: string; readonly offset: number},
  ): Bytes {
    const reader = {position: offset}
    blob.readers.add(reader)
    this.#announced = Math.max(this.#announced, blob.index)
    const stop = (): void => this.#notify()
    signal?.addEventListener('abort', stop, {once: true})
    try {
      while (reader.position < blob.size) {
        throwIfAborted(signal)
        const bytes = blob.from(reader.position)
        if (bytes === undefined) {
          const error = this.#whyNot(blob, {name, position: reader.position})
          if (error !== undefined) throw error
          this.#wake()
          await this.#change()
        } else {
          reader.position += bytes.length
          yield bytes
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
    if (position < blob.end || blob.state === 'passed') return passed(name, this.#options.name)
    return this.#failure
  }

  /** Drops the content of a blob that nobody needs any more, unless it is small. */
  #settle(blob: PassingBlob): void {
    if (!blob.isNeeded && blob.state !== 'ahead') {
      if (blob.size > SMALL || blob.held < blob.size) blob.dropAll()
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
        this.#notify()
      }
    } catch (thrown) {
      this.#failure = isMirrorError(thrown) ? thrown : this.#undecodable(thrown)
    }
    // Deciding to stop and clearing the pump are one step, so no wake is lost.
    this.#pump = undefined
    if (this.#failure !== undefined) this.#notify()
  }

  #undecodable(cause: unknown): MirrorError {
    return new MirrorError('SOURCE_CORRUPT', `cannot decode ${this.#options.name}: ${messageOf(cause)}`, {
      side: 'source',
      cause,
    })
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
      blob.error = new MirrorError(
        'BLOB_MISSING',
        `${this.#options.name} has no blob ${blob.descriptor.digest} where it should be`,
        {side: 'source', advice: {kind: 'give-as-file'}},
      )
    }
    this.#next = index
  }

  async #fill(blob: PassingBlob): Promise<void> {
    const next = blob.end < blob.size ? await this.#content?.next() : undefined
    if (next?.done === true) throw truncated(this.#options.name, this.#options.cursor.position)
    if (next !== undefined) blob.add(next.value)
    if (blob.end === blob.size) this.#leave(blob)
  }

  #leave(blob: PassingBlob): void {
    blob.state = 'passed'
    this.#at = undefined
    this.#content = undefined
    if (!blob.isNeeded) this.#settle(blob)
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#listeners.push(resolve))
  }

  #notify(): void {
    const listeners = this.#listeners
    this.#listeners = []
    for (const listener of listeners) listener()
  }
}

function passed(file: string, stream: string): MirrorError {
  return new MirrorError('SOURCE_PASSED', `${stream} has gone past ${file}, and cannot be read again`, {
    side: 'source',
    advice: {kind: 'give-as-file'},
  })
}
