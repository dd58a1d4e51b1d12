import {inSpan, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import type {Block, BlockCache, BlockLease} from './block-cache.js'
import {aheadOfWalk, howToPrefetch, howToRead, keepsAll, type BlockFacts} from './block-policy.js'
import {decodeAhead} from './decode-ahead.js'
import {throwIfAborted} from './abortable.js'
import type {ByteSource, ReadOptions} from './byte-source.js'
import {endsBefore} from './file-bytes.js'
import type {BlockLayout, SparseBlock} from './sparse-block.js'
import type {Level} from './level.js'
import type {Usage} from './usage.js'

/** Small enough to make and drop quickly, large enough to cost nothing per byte. */
const CHUNK_BYTES = 256 * 1024

export interface PlacedBlock extends Block {
  /** The offset of its first plain byte. */
  readonly offset: number
  readonly sparse?: SparseBlock
}

export interface BlockBytesOptions {
  readonly name: string
  readonly size: number
  /** By offset, without gaps. */
  readonly blocks: readonly PlacedBlock[]
  readonly cache: BlockCache
  readonly usage: Readonly<Usage>
  /** False if only the archive's index is read: then content is not decoded in advance. Default true. */
  readonly contentFollows?: boolean
  readonly dispose: () => Promise<void>
}

/** A range of bytes of one block, from the block's start. */
interface Range {
  readonly from: number
  readonly to: number
}

/** A reader, with the block it holds. */
interface Reading {
  readonly signal: AbortSignal | undefined
  readonly unproven: boolean
  readonly reuseChunks: boolean
  readonly isSmall: boolean
  /** The offset in the source at which the reader stops. */
  readonly end: number
  lease?: BlockLease
}

/**
 * A source of blocks that are decoded separately, each when a reader asks for bytes of it. If a block is mostly stored,
 * the cache keeps only its decoded chunks. Content is then put together from them and the file.
 */
export class BlockBytes implements ByteSource {
  readonly name: string
  readonly access = 'blocks'
  readonly usage: Readonly<Usage>
  level?: Level
  readonly #options: BlockBytesOptions
  #closed: MirrorError | undefined
  /** The block of the last small read, and how often the walk took the next block or leaped further. */
  #lastRead = -1
  #steps = 0
  #leaps = 0
  /** Stops the decoding ahead of the walk. */
  #ahead: AbortController | undefined
  /** `kept` is how many of `plain` bytes the cache keeps, over the blocks up to `upTo`. */
  readonly #known = {upTo: -1, kept: 0, plain: 0}

  constructor(options: BlockBytesOptions) {
    this.#options = options
    this.name = options.name
    this.usage = options.usage
  }

  async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    this.#followSmallReads(offset)
    const {signal, unproven = false} = options
    const end = Math.min(offset + length, this.#options.size)
    for await (const chunk of this.#from(offset, {signal, unproven, reuseChunks: false, isSmall: true, end}))
      parts.push(chunk)
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  }

  async *stream(offset: number, length: number, options: ReadOptions = {}): Bytes {
    const {signal, unproven = false, reuseChunks = false} = options
    const end = offset + length
    if (end > this.#options.size) throw endsBefore(this.name, {size: this.#options.size, wanted: end})
    yield* this.#from(offset, {signal, unproven, reuseChunks, isSmall: false, end})
  }

  hold(offset: number): () => void {
    if (offset >= this.#options.size) return () => {}
    const {cache} = this.#options
    const holds = cachedOf(this.#blockAt(this.#indexAt(offset))).map((block) => cache.hold(block))
    return () => holds.forEach((release) => release())
  }

  async size(): Promise<number> {
    return this.#options.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed !== undefined) return
    this.#closed = new MirrorError('CANCELLED', `${this.name} was closed`, {side: 'source'})
    this.#ahead?.abort(this.#closed)
    await this.#options.cache.drop(new Set(this.#options.blocks.flatMap(cachedOf)), this.#closed)
    await this.#options.dispose()
  }

  /** Holds one block at a time, until its consumer no longer needs it or the signal is aborted. */
  async *#from(offset: number, reading: Reading): Bytes {
    const {signal} = reading
    // Streams gain little by it, and a block's checksum locates damage better than a digest.
    const isEarly = reading.unproven && reading.isSmall
    const letGo = (): void => reading.lease?.release()
    signal?.addEventListener('abort', letGo, {once: true})
    try {
      for (let at = offset; at < reading.end;) {
        throwIfAborted(signal)
        const index = this.#indexAt(at)
        const block = this.#blockAt(index)
        const range: Range = {from: at - block.offset, to: Math.min(reading.end - block.offset, block.size)}
        const layout = await this.#layoutFor(index, range, reading)
        yield* layout === undefined
          ? this.#decoded(index, {block, range, upTo: isEarly ? range.to : block.size}, reading)
          : this.#pieces(index, {layout, range}, reading)
        at = block.offset + range.to
      }
    } finally {
      signal?.removeEventListener('abort', letGo)
      reading.lease?.release()
    }
  }

  /** Yields a range of a block from the cache, after waiting for the first `upTo` bytes of the block. */
  async *#decoded(
    index: number,
    {block, range, upTo}: {readonly block: Block; readonly range: Range; readonly upTo: number},
    reading: Reading,
  ): Bytes {
    const {signal, reuseChunks} = reading
    if (this.#closed !== undefined) throw this.#closed
    const wanted = this.#options.cache.acquire(block, {signal, upTo, instead: reading.lease})
    this.#readAhead(index, reading)
    const lease = await inSpan(
      () => ({kind: 'waiting', name: 'decoded block', details: {plainOffset: block.order}}),
      () => wanted,
    )
    reading.lease = lease
    for (let at = range.from; at < range.to;) {
      throwIfAborted(signal)
      const from = at
      at = Math.min(range.to, at + CHUNK_BYTES)
      const chunk = lease.bytes.subarray(from, at)
      // The block's buffer is used again, so a consumer that keeps the chunk gets a copy.
      yield reuseChunks ? chunk : chunk.slice()
    }
  }

  /** Yields a range of a block whose plain bytes the cache does not hold. */
  async *#pieces(
    index: number,
    {layout, range}: {readonly layout: BlockLayout; readonly range: Range},
    reading: Reading,
  ): Bytes {
    const {coded} = this.#blockAt(index).sparse ?? {}
    if (coded === undefined) throw new Error(`block ${index} of ${this.name} has no pieces`)
    if (layout.codedBefore(range.to) > layout.codedBefore(range.from)) this.#options.cache.prefetch(coded)
    for (let at = range.from; at < range.to;) {
      throwIfAborted(reading.signal)
      const {kind, length: most, position} = layout.pieceAt(at, range.to - at)
      const length = kind === 'stored' ? most : Math.min(most, CHUNK_BYTES)
      const end = position + length
      const upTo = reading.unproven ? end : coded.size
      if (kind === 'stored') yield* this.#stored(layout, {from: at, to: at + length}, reading)
      else yield* this.#decoded(index, {block: coded, range: {from: position, to: end}, upTo}, reading)
      at += length
    }
    reading.lease?.release()
  }

  async *#stored(layout: BlockLayout, {from, to}: Range, reading: Reading): Bytes {
    // Other readers must not wait for a block that this one does not need while it streams from the file.
    reading.lease?.release()
    try {
      yield* layout.streamStored(from, to - from, reading)
    } catch (error) {
      throw this.#closed ?? error
    }
  }

  /** Returns undefined if the range has to come from the block decoded as a whole. */
  async #layoutFor(index: number, range: Range, reading: Reading): Promise<BlockLayout | undefined> {
    const {sparse, size} = this.#blockAt(index)
    const isWhole = (): boolean => howToRead(this.#facts(), reading) === 'whole'
    // If the archive's index was remembered, no walk has looked at any block before the first stream.
    if (sparse === undefined || (this.#known.plain > 0 && isWhole())) return undefined
    const layout = await sparse.layout(reading)
    if (index > this.#known.upTo) {
      this.#known.upTo = index
      this.#known.plain += size
      this.#known.kept += layout === undefined ? size : layout.codedBefore(size)
    }
    if (layout === undefined || isWhole()) return undefined
    if (reading.unproven) return layout
    // Stored bytes come straight from the file without a checksum; coded bytes have been proven by their block's.
    const {kind, length} = layout.pieceAt(range.from, range.to - range.from)
    return kind === 'coded' && length === range.to - range.from ? layout : undefined
  }

  #readAhead(index: number, reading: Reading): void {
    const {end} = reading
    const inPieces = howToPrefetch(this.#facts(), reading) === 'pieces'
    for (const block of this.#options.blocks.slice(index + 1, index + 1 + this.#options.cache.threads)) {
      if (block.offset < end) this.#prefetch(block, {inPieces})
    }
  }

  #prefetch(block: PlacedBlock, {inPieces}: {readonly inPieces: boolean}): void {
    const {cache} = this.#options
    const {sparse} = block
    if (sparse === undefined || !inPieces) return cache.prefetch(block)
    const begin = (layout: BlockLayout | undefined): void => {
      const wanted = layout === undefined ? block : sparse.coded
      if (this.#closed === undefined && wanted.size > 0) cache.prefetch(wanted)
    }
    // A failure is reported to the reader of the block.
    sparse.layout({}).then(begin, () => {})
  }

  #followSmallReads(offset: number): void {
    const index = this.#indexAt(offset)
    if (index === this.#lastRead) return
    const [left, guessed] = this.#options.blocks.slice(Math.max(0, this.#lastRead), this.#lastRead + 2)
    if (left !== undefined && this.#lastRead >= 0) this.#leave(left)
    if (index === this.#lastRead + 1) this.#steps += 1
    else {
      this.#leaps += 1
      if (guessed !== undefined) this.#leave(guessed)
    }
    this.#lastRead = index
    const ahead = aheadOfWalk(this.#facts(), {
      steps: this.#steps,
      leaps: this.#leaps,
      contentFollows: this.#options.contentFollows !== false,
    })
    if (ahead === 'all') return this.#decodeAhead(index)
    const next = this.#options.blocks[index + 1]
    if (ahead === 'none' || next === undefined) return
    // Deferred, because the requested read goes before a guess.
    queueMicrotask(() => {
      if (this.#closed === undefined && this.#lastRead === index) this.#prefetch(next, {inPieces: true})
    })
  }

  /** Decodes once all that the cache will keep, no matter whether the walk reads or skips it. */
  #decodeAhead(index: number): void {
    if (this.#ahead !== undefined) return
    this.#ahead = new AbortController()
    const {blocks, cache} = this.#options
    const isWanted = (): boolean => keepsAll(this.#facts())
    void decodeAhead(blocks.slice(index + 1), {cache, isWanted, signal: this.#ahead.signal})
  }

  /** Stops decoding a block that the walk has left, unless it will still be cached when its content is requested. */
  #leave(block: PlacedBlock): void {
    const {cache} = this.#options
    cache.abandon(block)
    if (block.sparse !== undefined && !keepsAll(this.#facts())) cache.abandon(block.sparse.coded)
  }

  #facts(): BlockFacts {
    return {...this.#known, size: this.#options.size, budget: this.#options.cache.budget}
  }

  #blockAt(index: number): PlacedBlock {
    const block = this.#options.blocks[index]
    if (block === undefined) throw new Error(`no block ${index} in ${this.name}`)
    return block
  }

  /** Returns the last block that begins at or before the offset. */
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

/** Returns every part of a block that a cache may hold. */
function cachedOf(block: PlacedBlock): readonly Block[] {
  return block.sparse === undefined ? [block] : [block, block.sparse.coded]
}
