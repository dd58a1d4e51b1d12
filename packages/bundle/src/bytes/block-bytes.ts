import {MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import type {AcquireOptions, Block, BlockCache, BlockLease} from './block-cache.js'
import {throwIfAborted} from './abortable.js'
import type {ByteSource, ReadOptions} from './byte-source.js'
import {endsBefore} from './file-bytes.js'
import type {Usage} from './usage.js'

/**
 * Small reads are a walk over headers. While it seldom leaps over a block the next one is decoded ahead of it: of five such
 * guesses one may be wrong, and a wrong one is stopped where it is.
 */
const STEPS_PER_LEAP = 4
/** Small enough to be made and dropped quickly, large enough to cost nothing a byte. */
const CHUNK_BYTES = 256 * 1024

export interface PlacedBlock extends Block {
  /** Of its first plain byte. */
  readonly offset: number
}

export interface BlockBytesOptions {
  readonly name: string
  readonly size: number
  /** By offset, without gaps. */
  readonly blocks: readonly PlacedBlock[]
  readonly cache: BlockCache
  readonly usage: Readonly<Usage>
  readonly dispose: () => Promise<void>
}

/** A source of blocks that are decoded alone, each when somebody asks for bytes of it. */
export class BlockBytes implements ByteSource {
  readonly name: string
  readonly access = 'blocks'
  readonly usage: Readonly<Usage>
  readonly #options: BlockBytesOptions
  #closed: MirrorError | undefined
  /** The block of the last small read; how often the walk went on to the next block, and how often further. */
  #lastRead = -1
  #steps = 0
  #leaps = 0

  constructor(options: BlockBytesOptions) {
    this.#options = options
    this.name = options.name
    this.usage = options.usage
  }

  async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    const available = Math.max(0, Math.min(length, this.#options.size - offset))
    this.#followSmallReads(offset)
    for await (const chunk of this.stream(offset, available, {...options, reuseChunks: false}))
      parts.push(chunk)
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  }

  /** Holds one block at a time, and that one no longer than its consumer needs it, or until the abort. */
  async *stream(offset: number, length: number, options: ReadOptions = {}): Bytes {
    const {signal, unproven = false, reuseChunks = false} = options
    const end = offset + length
    if (end > this.#options.size) throw endsBefore(this.name, {size: this.#options.size, wanted: end})
    let lease: BlockLease | undefined
    const letGo = (): void => lease?.release()
    signal?.addEventListener('abort', letGo, {once: true})
    try {
      for (let at = offset; at < end;) {
        throwIfAborted(signal)
        const index = this.#indexAt(at)
        const block = this.#blockAt(index)
        const upTo = unproven ? Math.min(end - block.offset, block.size) : block.size
        const wanted = this.#acquire(block, {signal, upTo, instead: lease})
        this.#readAhead(index, end)
        lease = await wanted
        const blockEnd = Math.min(end, block.offset + block.size)
        while (at < blockEnd) {
          throwIfAborted(signal)
          const from = at - block.offset
          at = Math.min(blockEnd, at + CHUNK_BYTES)
          const chunk = lease.bytes.subarray(from, at - block.offset)
          // The block's buffer is used again: what the consumer may keep has to be a copy.
          yield reuseChunks ? chunk : chunk.slice()
        }
      }
    } finally {
      signal?.removeEventListener('abort', letGo)
      lease?.release()
    }
  }

  hold(offset: number): () => void {
    return offset < this.#options.size
      ? this.#options.cache.hold(this.#blockAt(this.#indexAt(offset)))
      : () => {}
  }

  async size(): Promise<number> {
    return this.#options.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed !== undefined) return
    this.#closed = new MirrorError('CANCELLED', `${this.name} was closed`, {side: 'source'})
    await this.#options.cache.drop(new Set(this.#options.blocks), this.#closed)
    await this.#options.dispose()
  }

  async #acquire(block: Block, options: AcquireOptions): Promise<BlockLease> {
    if (this.#closed !== undefined) throw this.#closed
    return this.#options.cache.acquire(block, options)
  }

  #readAhead(index: number, end: number): void {
    for (const block of this.#options.blocks.slice(index + 1, index + 1 + this.#options.cache.threads)) {
      if (block.offset < end) this.#options.cache.prefetch(block)
    }
  }

  #followSmallReads(offset: number): void {
    const index = this.#indexAt(offset)
    if (index === this.#lastRead) return
    const [left, guessed] = this.#options.blocks.slice(Math.max(0, this.#lastRead), this.#lastRead + 2)
    if (left !== undefined && this.#lastRead >= 0) this.#options.cache.abandon(left)
    if (index === this.#lastRead + 1) this.#steps += 1
    else {
      this.#leaps += 1
      if (guessed !== undefined) this.#options.cache.abandon(guessed)
    }
    this.#lastRead = index
    const next = this.#options.blocks[index + 1]
    if (this.#leaps * STEPS_PER_LEAP > this.#steps || next === undefined) return
    // Behind the read itself: what is asked for goes before what may be.
    queueMicrotask(() => {
      if (this.#closed === undefined && this.#lastRead === index) this.#options.cache.prefetch(next)
    })
  }

  #blockAt(index: number): PlacedBlock {
    const block = this.#options.blocks[index]
    if (block === undefined) throw new Error(`no block ${index} in ${this.name}`)
    return block
  }

  /** The last block that begins at or before the offset. */
  #indexAt(offset: number): number {
    let low = 0
    let high = this.#options.blocks.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#options.blocks[middle]?.offset ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}
