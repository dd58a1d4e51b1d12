import {cancelled, type Bytes} from '@airgap-mirror/oci-client/model'
import type {BlockAllowance, BlockBudget} from './block-budget.js'
import type {BlockPool, PooledBlock} from './block-pool.js'

export interface PackOptions {
  readonly pool: BlockPool
  readonly budget: BlockBudget
  readonly signal: AbortSignal | undefined
}

/**
 * Cuts `plain` into blocks of one size, no matter its chunks, and yields them packed and in order. Blocks are read and
 * packed ahead of the consumer as far as the budget allows. An empty layer is one empty block. The bytes of a block are valid
 * until the next is asked for.
 * @throws {MirrorError} CANCELLED, at once, even if `plain` hangs; any error of `plain` or of a thread
 */
export async function* packedBlocks(
  plain: Bytes,
  {pool, budget, signal}: PackOptions,
): AsyncGenerator<PooledBlock> {
  if (signal?.aborted) throw cancelled(signal)
  const allowance = budget.open()
  const ahead = new ReadAhead(plain, pool, allowance)
  const abort = (): void => ahead.stop(cancelled(signal))
  signal?.addEventListener('abort', abort)
  try {
    for (;;) {
      const packed = await ahead.next()
      if (packed === undefined) return
      yield packed
      // Only now, because the block was in flight while the consumer used it.
      pool.giveBack(packed.bytes)
      allowance.give()
    }
  } finally {
    signal?.removeEventListener('abort', abort)
    ahead.stop(cancelled(signal))
  }
}

interface Slot {
  packed: PooledBlock | undefined
}

/** Reads and packs while the consumer of a call is busy. */
class ReadAhead {
  readonly #source: AsyncIterator<Uint8Array>
  readonly #pool: BlockPool
  readonly #allowance: BlockAllowance
  readonly #slots: Slot[] = []
  #failure: {readonly error: unknown} | undefined
  #ended = false
  #wake: () => void = () => {}

  constructor(plain: Bytes, pool: BlockPool, allowance: BlockAllowance) {
    this.#source = plain[Symbol.asyncIterator]()
    this.#pool = pool
    this.#allowance = allowance
    this.#read().catch((error: unknown) => this.stop(error))
  }

  /** Returns the next block in order; undefined at the end. */
  async next(): Promise<PooledBlock | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error
      const packed = this.#slots[0]?.packed
      if (packed !== undefined) {
        this.#slots.shift()
        return packed
      }
      if (this.#ended && this.#slots.length === 0) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Stops all work; `next` throws `error`. Only the first call counts. */
  stop(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = {error}
    this.#slots.length = 0
    this.#allowance.close()
    if (!this.#ended) this.#closeSource()
    this.#wake()
  }

  /** Does not wait, because a source that hangs answers only at its next chunk. */
  #closeSource(): void {
    // The consumer already has an error, so an error of closing is ignored.
    this.#source.return?.().catch(() => {})
  }

  async #read(): Promise<void> {
    let block: Uint8Array<ArrayBuffer> | undefined
    let filled = 0
    let count = 0
    const submit = (full: Uint8Array<ArrayBuffer>): void => {
      this.#submit(full, filled)
      block = undefined
      filled = 0
      count++
    }
    for (;;) {
      const {done, value: chunk} = await this.#source.next()
      if (done === true) break
      for (let at = 0; at < chunk.length;) {
        if (block === undefined && !(await this.#allowance.take())) return
        block ??= this.#pool.lease()
        if (this.#failure !== undefined) return
        const part = chunk.subarray(at, at + block.length - filled)
        block.set(part, filled)
        filled += part.length
        at += part.length
        if (filled === block.length) submit(block)
      }
    }
    this.#ended = true
    if (this.#failure !== undefined) return
    if (filled > 0 && block !== undefined) submit(block)
    else if (count === 0 && (await this.#allowance.take())) submit(this.#pool.lease())
    this.#wake()
  }

  #submit(block: Uint8Array<ArrayBuffer>, length: number): void {
    const slot: Slot = {packed: undefined}
    this.#slots.push(slot)
    void this.#pack(slot, block, length)
  }

  async #pack(slot: Slot, block: Uint8Array<ArrayBuffer>, length: number): Promise<void> {
    const wanted = (): boolean => this.#failure === undefined
    try {
      slot.packed = await this.#pool.pack(block, {length, wanted})
      if (slot === this.#slots[0]) this.#wake()
    } catch (error) {
      this.stop(error)
    }
  }
}
