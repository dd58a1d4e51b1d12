import type {Descriptor, MirrorError} from '@airgap-mirror/oci-client/model'
import {Change} from './change.js'
import {SLAB_BYTES, type Slabs} from './slabs.js'

/** Blobs up to this size are never dropped while somebody may read them again. */
export const SMALL = 1024 * 1024

/** The last slabs that a reader has had stay: an upload hands over a chunk before the connection has taken the last one. */
const STILL_SENT = 2

/** A blob of a stream, and the part of its content that is in memory. */
export class PassingBlob {
  readonly descriptor: Descriptor
  /** Its place among the blobs of the stream. */
  readonly index: number
  /** `passing`: its content is what the stream gives next. */
  state: 'ahead' | 'passing' | 'passed' = 'ahead'
  /** Why its content cannot be had. */
  error: MirrorError | undefined
  /** Transfers under way, which may open it once more. */
  pins = 0
  readonly readers = new Set<{position: number}>()
  /** Told when more of its content has come, or never will. */
  readonly change = new Change()
  /** The end of what the stream has given of it. */
  end = 0
  readonly #memory: Slabs
  /** The content in memory, in order. All are full but the last. */
  #slabs: Uint8Array[] = []
  /** Offset of the first slab in the blob. */
  #start = 0
  #furthest = 0

  constructor(descriptor: Descriptor, {index, memory}: {readonly index: number; readonly memory: Slabs}) {
    this.descriptor = descriptor
    this.index = index
    this.#memory = memory
  }

  get size(): number {
    return this.descriptor.size
  }

  get isNeeded(): boolean {
    return this.pins > 0 || this.readers.size > 0
  }

  /** True if a reader has had all that the stream has given. */
  get isAwaited(): boolean {
    return [...this.readers].some(({position}) => position >= this.end)
  }

  /** Bytes of memory that it takes. */
  get held(): number {
    return this.#slabs.length * this.#slabBytes
  }

  /** True if its whole content is in memory. */
  get isWhole(): boolean {
    return this.#start === 0 && this.end === this.size
  }

  /** Copies the next bytes of its content. */
  add(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0;) {
      const used = (this.end - this.#start) % this.#slabBytes
      if (used === 0) this.#slabs.push(this.#newSlab())
      const part = rest.subarray(0, this.#slabBytes - used)
      this.#slabs.at(-1)?.set(part, used)
      this.end += part.length
      rest = rest.subarray(part.length)
    }
  }

  /** Returns bytes from an offset on, as many as lie together; undefined if they are not in memory. */
  from(offset: number): Uint8Array | undefined {
    if (offset < this.#start || offset >= this.end) return undefined
    const index = Math.floor((offset - this.#start) / this.#slabBytes)
    const slabStart = this.#start + index * this.#slabBytes
    return this.#slabs[index]?.subarray(offset - slabStart, this.end - slabStart)
  }

  /** Notes how far a reader has come. */
  reached(position: number): void {
    this.#furthest = Math.max(this.#furthest, position)
  }

  /** Drops what every reader has had. @returns the freed bytes */
  dropRead(): number {
    const read = Math.min(this.#furthest, ...[...this.readers].map(({position}) => position))
    const count = Math.floor((read - this.#start) / this.#slabBytes) - STILL_SENT
    return this.#drop(Math.max(0, count))
  }

  dropAll(): void {
    this.#drop(this.#slabs.length)
    this.#start = this.end
  }

  #drop(count: number): number {
    const dropped = this.#slabs.splice(0, count)
    this.#start += dropped.length * this.#slabBytes
    if (this.#slabBytes === SLAB_BYTES) this.#memory.giveBack(dropped)
    return dropped.length * this.#slabBytes
  }

  /** A small blob is in memory as a whole, and takes no more than its size. */
  get #slabBytes(): number {
    return Math.min(SLAB_BYTES, Math.max(1, this.size))
  }

  #newSlab(): Uint8Array {
    return this.#slabBytes === SLAB_BYTES ? this.#memory.take() : Buffer.allocUnsafeSlow(this.#slabBytes)
  }
}
