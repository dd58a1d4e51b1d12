import {inSpan, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import type {Block, BlockCache} from './block-cache.js'
import type {BlockLease} from './block-lease.js'
import {howToPrefetch, howToRead, type BlockFacts} from './block-policy.js'
import {throwIfAborted} from './abortable.js'
import type {ByteSource, ReadOptions} from './byte-source.js'
import {endsBefore} from './file-bytes.js'
import {HeaderWalk} from './header-walk.js'
import type {KeptBlock, KeptBlocks} from './kept-blocks.js'
import {leasedChunks} from './leased-chunks.js'
import {blockIndexAt, cachedOf, type PlacedBlock} from './placed-block.js'
import type {BlockLayout} from './sparse-block.js'
import type {Level} from './level.js'
import type {Usage} from './usage.js'

/** Coded pieces of a block are read in parts of this size. */
const PIECE_BYTES = 256 * 1024

export interface BlockBytesOptions {
  readonly name: string
  readonly size: number
  /** By offset, without gaps. */
  readonly blocks: readonly PlacedBlock[]
  readonly cache: BlockCache
  /** Absent: blocks that leave the cache are decoded again. */
  readonly kept?: KeptBlocks
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
  readonly #walk: HeaderWalk
  /** `kept` is how many of `plain` bytes the cache keeps, over the blocks up to `upTo`. */
  readonly #known = {upTo: -1, kept: 0, plain: 0}

  constructor(options: BlockBytesOptions) {
    this.#options = options
    this.name = options.name
    this.usage = options.usage
    this.#walk = new HeaderWalk({
      blocks: options.blocks,
      cache: options.cache,
      facts: () => this.#facts(),
      prefetch: (block) => this.#prefetch(block, {inPieces: true}),
      contentFollows: options.contentFollows !== false,
    })
  }

  async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    this.#walk.goTo(blockIndexAt(this.#options.blocks, offset))
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
    const holds = cachedOf(this.#blockAt(blockIndexAt(this.#options.blocks, offset))).map((block) =>
      cache.hold(block),
    )
    return () => holds.forEach((release) => release())
  }

  async size(): Promise<number> {
    return this.#options.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed !== undefined) return
    this.#closed = new MirrorError('CANCELLED', `${this.name} was closed`, {side: 'source'})
    this.#walk.close(this.#closed)
    await this.#options.cache.drop(new Set(this.#options.blocks.flatMap(cachedOf)), this.#closed)
    await this.#options.kept?.close()
    await this.#options.dispose()
  }

  /** Holds one block at a time, until its consumer no longer needs it or the signal is aborted. */
  async *#from(offset: number, reading: Reading): Bytes {
    const {signal} = reading
    const isEarly = (range: Range, block: Block): boolean => {
      // Streams gain little by it, and a block's checksum locates damage better than a digest.
      if (!reading.unproven || this.#options.kept === undefined) return reading.unproven && reading.isSmall
      return reading.isSmall || range.to < block.size
    }
    const letGo = (): void => reading.lease?.release()
    signal?.addEventListener('abort', letGo, {once: true})
    try {
      for (let at = offset; at < reading.end;) {
        throwIfAborted(signal)
        const index = blockIndexAt(this.#options.blocks, at)
        const block = this.#blockAt(index)
        const range: Range = {from: at - block.offset, to: Math.min(reading.end - block.offset, block.size)}
        const layout = await this.#layoutFor(index, range, reading)
        yield* layout === undefined
          ? this.#decoded(index, {block, range, upTo: isEarly(range, block) ? range.to : block.size}, reading)
          : this.#pieces(index, {layout, range}, reading)
        at = block.offset + range.to
      }
    } finally {
      signal?.removeEventListener('abort', letGo)
      reading.lease?.release()
    }
  }

  /** Yields a range of a block from its copy, or from the cache after waiting for the first `upTo` bytes of the block. */
  async *#decoded(
    index: number,
    {block, range, upTo}: {readonly block: Block; readonly range: Range; readonly upTo: number},
    reading: Reading,
  ): Bytes {
    const {cache, kept} = this.#options
    for (let at = range.from; at < range.to;) {
      if (this.#closed !== undefined) throw this.#closed
      const copy = kept?.take(block)
      if (copy !== undefined) {
        this.#readAhead(index, reading)
        reading.lease?.release()
        cache.forget(block)
        yield* this.#copied(copy, {from: at, to: range.to}, reading)
        return
      }
      const lease = await this.#acquire(index, {block, upTo}, reading)
      if (kept?.has(block) === true) continue
      const options = {...reading, from: at, to: range.to, isShared: kept !== undefined && !reading.isSmall}
      for await (const chunk of leasedChunks(lease, options)) {
        at += chunk.length
        yield chunk
      }
    }
  }

  async *#copied(copy: KeptBlock, {from, to}: Range, reading: Reading): Bytes {
    try {
      yield* copy.stream(from, to, reading)
    } catch (error) {
      throw this.#closed ?? error
    } finally {
      copy.release()
    }
  }

  /** Waits for a block in the cache. The lease ends as soon as there is a copy of the block. */
  async #acquire(
    index: number,
    {block, upTo}: {readonly block: Block; readonly upTo: number},
    reading: Reading,
  ): Promise<BlockLease> {
    const {cache, kept} = this.#options
    const {signal} = reading
    const wanted = cache.acquire(block, {signal, upTo, instead: reading.lease})
    this.#readAhead(index, reading)
    const lease = await inSpan(
      () => ({kind: 'waiting', name: 'decoded block', details: {plainOffset: block.order}}),
      () => wanted,
    )
    reading.lease = lease
    const letGo = (): void => {
      if (!reading.isSmall && kept?.has(block) === true) lease.release()
    }
    // The reader of the rest gets an error of the rest.
    if (kept !== undefined && upTo < block.size) lease.whole.then(letGo, () => {})
    return lease
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
      const length = kind === 'stored' ? most : Math.min(most, PIECE_BYTES)
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
    const {cache, kept} = this.#options
    const {sparse} = block
    if (kept?.has(block) === true) return
    if (sparse === undefined || !inPieces) return cache.prefetch(block)
    const begin = (layout: BlockLayout | undefined): void => {
      const wanted = layout === undefined ? block : sparse.coded
      if (this.#closed === undefined && wanted.size > 0 && kept?.has(wanted) !== true) cache.prefetch(wanted)
    }
    // A failure is reported to the reader of the block.
    sparse.layout({}).then(begin, () => {})
  }

  #facts(): BlockFacts {
    return {...this.#known, size: this.#options.size, budget: this.#options.cache.budget}
  }

  #blockAt(index: number): PlacedBlock {
    const block = this.#options.blocks[index]
    if (block === undefined) throw new Error(`no block ${index} in ${this.name}`)
    return block
  }
}
