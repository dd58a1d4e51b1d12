import type {Descriptor, MirrorError} from '@airgap-mirror/oci-client/model'

interface Piece {
  /** Offset in the blob. */
  readonly at: number
  readonly bytes: Uint8Array
}

/** Blobs up to this size are never dropped while somebody may read them again. */
export const SMALL = 1024 * 1024

/** The least bytes of a chunk for a reader, if so many are in memory. */
const CHUNK_BYTES = 512 * 1024

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
  /** The end of what the stream has given of it. */
  end = 0
  #pieces: Piece[] = []
  #furthest = 0

  constructor(descriptor: Descriptor, index: number) {
    this.descriptor = descriptor
    this.index = index
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

  /** Bytes in memory. */
  get held(): number {
    const [first] = this.#pieces
    return first === undefined ? 0 : this.end - first.at
  }

  add(bytes: Uint8Array): void {
    this.#pieces.push({at: this.end, bytes})
    this.end += bytes.length
  }

  /** Returns the bytes from an offset on, as many as make a good chunk; undefined if they are not in memory. */
  from(offset: number): Uint8Array | undefined {
    let low = 0
    let high = this.#pieces.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const piece = this.#pieces[middle]
      if (piece !== undefined && piece.at + piece.bytes.length <= offset) low = middle + 1
      else high = middle
    }
    const piece = this.#pieces[low]
    if (piece === undefined || piece.at > offset) return undefined
    // A pipe gives 64 KiB at a time, and an upload of larger chunks takes less of the processor.
    const parts = [piece.bytes.subarray(offset - piece.at)]
    let length = parts[0]?.length ?? 0
    for (let next = low + 1; length < CHUNK_BYTES && next < this.#pieces.length; next += 1) {
      const {bytes = new Uint8Array()} = this.#pieces[next] ?? {}
      parts.push(bytes)
      length += bytes.length
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts, length)
  }

  /** Notes how far a reader has come. */
  reached(position: number): void {
    this.#furthest = Math.max(this.#furthest, position)
  }

  /** Drops what every reader has had. @returns the dropped bytes */
  dropRead(): number {
    const read = Math.min(this.#furthest, ...[...this.readers].map(({position}) => position))
    const kept = this.#pieces.findIndex(({at, bytes}) => at + bytes.length > read)
    const before = this.held
    this.#pieces = kept < 0 ? [] : this.#pieces.slice(kept)
    return before - this.held
  }

  dropAll(): void {
    this.#pieces = []
  }

  /** Copies the content, so that it keeps no larger chunk in memory. */
  compact(): void {
    if (this.#pieces.length === 0) return
    this.#pieces = [{at: 0, bytes: Buffer.concat(this.#pieces.map(({bytes}) => bytes))}]
  }
}
