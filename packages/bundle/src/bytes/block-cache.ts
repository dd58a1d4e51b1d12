import {MirrorError} from '@airgap-mirror/oci-client/model'
import {abortable, throwIfAborted} from './abortable.js'
import {leaseOf, type BlockLease} from './block-lease.js'
import {bufferBytes} from './block-policy.js'

/** Limit of blocks held at once, however small: the work of making room grows with their number. */
const MOST_BLOCKS = 1000

/** A part of a source that is decoded as a whole. The object itself is its cache key. */
export interface Block {
  /** In plain bytes. */
  readonly size: number
  /** Its place in its source, in plain bytes. The lowest block that waits for room comes first. */
  readonly order: number
  /** True if a copy is kept elsewhere once it is decoded, so that it is not decoded again when it leaves the cache. */
  readonly isKept?: boolean
  /** @param onFilled is told how much of the target is filled so far; checksums are proven only at the end */
  readonly decode: (
    target: Uint8Array,
    signal: AbortSignal,
    onFilled: (bytes: number) => void,
  ) => Promise<void>
}

export interface AcquireOptions {
  readonly signal?: AbortSignal
  /** The number of bytes that must be decoded, unproven. Default: the whole block. */
  readonly upTo?: number
  /** The reader's last lease, released in the same step. */
  readonly instead?: BlockLease
}

interface Entry {
  readonly block: Block
  readonly bytes: Uint8Array
  readonly ready: Promise<void>
  readonly abort: AbortController
  /** Readers that wait for the first `upTo` bytes. */
  readonly early: Set<{readonly upTo: number; readonly resolve: () => void}>
  filled: number
  decoding: boolean
  pins: number
}

interface Waiter {
  readonly block: Block
  readonly admit: (entry: Entry) => void
}

/**
 * Decoded blocks, held within a number of bytes; one block is always allowed, however big. A block with several readers
 * is decoded once and stays while it is in use. Readers go upwards, so blocks below every reader are evicted first, then
 * the highest. Buffers are reused, so that memory does not depend on garbage collection.
 */
export class BlockCache {
  readonly budget: number
  /** The most blocks decoded at once. */
  readonly threads: number
  readonly #entries = new Map<Block, Entry>()
  readonly #held = new Map<Block, number>()
  /** Abandoned entries that their decoder still writes to until it notices. */
  readonly #leaving = new Set<Entry>()
  #waiters: Waiter[] = []
  #spare: ArrayBuffer | undefined

  constructor(options: {readonly budget: number; readonly threads: number}) {
    this.budget = options.budget
    this.threads = Math.max(1, options.threads)
  }

  /**
   * Waits for room and for the block. The holder of a lease must not wait for another lease, which would be a deadlock.
   * With `upTo` it waits only for that many bytes, unproven.
   * @throws {MirrorError} CANCELLED, and the errors of decoding
   */
  async acquire(block: Block, options: AcquireOptions = {}): Promise<BlockLease> {
    const {signal, upTo = block.size, instead} = options
    throwIfAborted(signal)
    // Released quietly, so that no waiter takes the reader's place between two of its blocks.
    instead?.release({quietly: true})
    const admitted = this.#admitNow(block) ?? this.#admitLater(block, signal)
    if (instead !== undefined) this.#grant()
    const entry = await admitted
    const lease = leaseOf(entry, (quietly) => {
      entry.pins -= 1
      if (!quietly) this.#grant()
    })
    try {
      await abortable(upTo < block.size ? filledUpTo(entry, upTo) : entry.ready, signal)
    } catch (error) {
      lease.release()
      throw error
    }
    return lease
  }

  /** Begins to decode a block in advance if there is room without evicting a block that is needed sooner. */
  prefetch(block: Block): void {
    const isFree = this.#waiters.length === 0 && !this.#entries.has(block) && this.#decoding < this.threads
    if (isFree && this.#isWithinReach(block) && this.#makeRoom(block)) this.#begin(block)
  }

  /** Stops decoding a block that has no reader and no hold. */
  abandon(block: Block): void {
    const entry = this.#entries.get(block)
    if (entry === undefined || !entry.decoding || entry.pins > 0 || this.#held.has(block)) return
    this.#entries.delete(block)
    this.#leaving.add(entry)
    entry.abort.abort(new MirrorError('CANCELLED', 'the rest of a block is not needed'))
  }

  /** Gives up the memory of a decoded block that is not in use, because there is a copy elsewhere. */
  forget(block: Block): void {
    const entry = this.#entries.get(block)
    if (entry !== undefined && !entry.decoding && entry.pins === 0) this.#evict(entry)
  }

  /** Prefers this block, once it is decoded, over blocks without a hold. */
  hold(block: Block): () => void {
    this.#held.set(block, (this.#held.get(block) ?? 0) + 1)
    let holding = true
    return () => {
      if (!holding) return
      holding = false
      const holds = (this.#held.get(block) ?? 1) - 1
      if (holds > 0) this.#held.set(block, holds)
      else this.#held.delete(block)
    }
  }

  /** Forgets the blocks of a source that closes and stops decoding them. Resolves when all have stopped. */
  async drop(blocks: ReadonlySet<Block>, reason: MirrorError): Promise<void> {
    const dropped = [...this.#entries.values()].filter((entry) => blocks.has(entry.block))
    for (const entry of dropped) {
      this.#entries.delete(entry.block)
      entry.abort.abort(reason)
    }
    if (this.#entries.size === 0) this.#spare = undefined
    this.#grant()
    await Promise.allSettled(dropped.map((entry) => entry.ready))
  }

  get #decoding(): number {
    let count = 0
    for (const entry of this.#entries.values()) if (entry.decoding) count += 1
    return count
  }

  #admitNow(block: Block): Entry | undefined {
    const known = this.#entries.get(block)
    if (known === undefined) {
      const isNext = this.#waiters.every((waiter) => waiter.block.order > block.order)
      if (!isNext || this.#decoding >= this.threads || !this.#isWithinReach(block)) return undefined
      if (!this.#makeRoom(block)) return undefined
    }
    const entry = known ?? this.#begin(block)
    entry.pins += 1
    return entry
  }

  /**
   * Returns true if the block is less than a whole budget ahead of the lowest reader. A reader further ahead waits:
   * otherwise the two evict each other's blocks, and the bytes between them are decoded twice.
   */
  #isWithinReach({order, isKept = false}: Block): boolean {
    return isKept || order < this.#lowestReader() + this.budget
  }

  async #admitLater(block: Block, signal: AbortSignal | undefined): Promise<Entry> {
    let waiter: Waiter | undefined
    const admitted = new Promise<Entry>((resolve) => {
      waiter = {block, admit: resolve}
      this.#waiters.push(waiter)
    })
    try {
      return await abortable(admitted, signal)
    } catch (error) {
      const wasWaiting = this.#waiters.some((other) => other === waiter)
      this.#waiters = this.#waiters.filter((other) => other !== waiter)
      // The waiter was admitted at the moment of the abort: give the place back.
      if (!wasWaiting) void admitted.then((entry) => this.#unpin(entry))
      this.#grant()
      throw error
    }
  }

  /** Admits as many waiters as possible, the lowest block first. */
  #grant(): void {
    for (const waiter of this.#waiters.toSorted((a, b) => a.block.order - b.block.order)) {
      const others = this.#waiters.filter((other) => other !== waiter)
      const waiting = this.#waiters
      this.#waiters = others.filter((other) => other.block.order < waiter.block.order)
      const entry = this.#admitNow(waiter.block)
      this.#waiters = entry === undefined ? waiting : others
      if (entry !== undefined) waiter.admit(entry)
    }
  }

  #unpin(entry: Entry): void {
    entry.pins -= 1
    this.#grant()
  }

  #begin(block: Block): Entry {
    const abort = new AbortController()
    const bytes = this.#buffer(block.size)
    const early: Entry['early'] = new Set()
    const ready = block.decode(bytes, abort.signal, (filled) => {
      entry.filled = filled
      for (const reader of early) if (reader.upTo <= filled) reader.resolve()
    })
    const entry: Entry = {
      block,
      bytes,
      ready,
      abort,
      early,
      filled: 0,
      decoding: true,
      pins: 0,
    }
    this.#entries.set(block, entry)
    void this.#settle(entry)
    return entry
  }

  async #settle(entry: Entry): Promise<void> {
    try {
      await entry.ready
    } catch {
      // Waiters of this block get the error from `ready`; a later request tries again.
      if (this.#entries.get(entry.block) === entry) this.#entries.delete(entry.block)
    }
    entry.decoding = false
    if (this.#leaving.delete(entry)) this.#spare = entry.bytes.buffer as ArrayBuffer
    this.#grant()
  }

  /** Evicts blocks that are not in use, except those that a reader behind will need sooner. */
  #makeRoom({size, order}: Block): boolean {
    const entries = [...this.#entries.values()]
    let used = [...entries, ...this.#leaving].reduce((sum, {block}) => sum + block.size, 0)
    const reader = this.#lowestReader()
    const lowest = Math.min(reader, ...[...this.#held.keys()].map((block) => block.order))
    const evicted: Entry[] = []
    const fits = (): boolean => used + size <= this.budget && entries.length - evicted.length < MOST_BLOCKS
    for (const entry of entries.toSorted((a, b) => keepValue(a.block, lowest) - keepValue(b.block, lowest))) {
      if (fits()) break
      if (entry.decoding || entry.pins > 0) continue
      const {block} = entry
      if (block.isKept !== true && block.order >= reader && block.order < order) continue
      used -= entry.block.size
      evicted.push(entry)
    }
    if (!fits() && (evicted.length < entries.length || this.#leaving.size > 0)) return false
    for (const entry of evicted) this.#evict(entry)
    return true
  }

  /** Returns the order of the lowest block that has a reader or a waiter. */
  #lowestReader(): number {
    let lowest = Infinity
    for (const {block, pins} of this.#entries.values()) if (pins > 0) lowest = Math.min(lowest, block.order)
    for (const {block} of this.#waiters) lowest = Math.min(lowest, block.order)
    return lowest
  }

  #evict(entry: Entry): void {
    this.#entries.delete(entry.block)
    this.#spare = entry.bytes.buffer as ArrayBuffer
  }

  #buffer(size: number): Uint8Array {
    const spare = this.#spare
    this.#spare = undefined
    const isUsable = spare !== undefined && spare.byteLength >= size && spare.byteLength <= size * 2
    return new Uint8Array(isUsable ? spare : new ArrayBuffer(bufferBytes(size)), 0, size)
  }
}

/** Returns how much a block is worth keeping; the smallest value is evicted first. */
function keepValue({order}: Block, lowest: number): number {
  return order < lowest ? order - Number.MAX_SAFE_INTEGER : -order
}

async function filledUpTo(entry: Entry, upTo: number): Promise<void> {
  if (entry.filled >= upTo) return
  let reader: {readonly upTo: number; readonly resolve: () => void} | undefined
  const filled = new Promise<void>((resolve) => {
    reader = {upTo, resolve}
    entry.early.add(reader)
  })
  try {
    await Promise.race([filled, entry.ready])
  } finally {
    if (reader !== undefined) entry.early.delete(reader)
  }
}
