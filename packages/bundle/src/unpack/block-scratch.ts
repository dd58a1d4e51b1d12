import {messageOf, type Bytes} from '@airgap-mirror/oci-client/model'
import type {Block} from '../bytes/block-cache.js'
import type {ReadOptions} from '../bytes/byte-source.js'
import {fileBytes} from '../bytes/file-bytes.js'
import type {KeptBlock, KeptBlocks} from '../bytes/kept-blocks.js'
import type {Usage} from '../bytes/usage.js'
import {openScratchFile, type Scratch, type ScratchFile} from './scratch-file.js'

export interface BlockScratchOptions {
  /** For messages. */
  readonly name: string
  /** Undefined: nothing may be kept. */
  readonly scratch: Scratch | undefined
  /** The size of the largest block. */
  readonly largest: number
  readonly usage: Usage
  readonly onNote?: (text: string) => void
}

/** The milliseconds for which a full disk is not asked again. */
const FULL_FOR = 60_000

/** A place in the file for one block. */
interface Slot {
  readonly position: number
  /** The most bytes of the file that were written here. */
  room: number
  readers: number
}

/**
 * Decoded blocks in a scratch file. Each gets a slot as large as the largest block; the unused rest of a slot is a hole, which
 * takes no room. If there is no more room, a block takes the slot of the block that was read longest ago.
 */
export class BlockScratch implements KeptBlocks {
  readonly #options: BlockScratchOptions
  /** In the order of their last reading. */
  readonly #slots = new Map<Block, Slot>()
  /** Slots without a block. */
  readonly #free = new Set<Slot>()
  #count = 0
  #fullUntil = 0
  #isTold = false
  #file: Promise<ScratchFile> | undefined
  #isClosed = false

  constructor(options: BlockScratchOptions) {
    this.#options = options
  }

  get hasRoom(): boolean {
    return this.#options.scratch !== undefined && !this.#isFull
  }

  has(block: Block): boolean {
    return this.#slots.has(block)
  }

  take(block: Block): KeptBlock | undefined {
    const slot = this.#slots.get(block)
    if (slot === undefined) return undefined
    this.#slots.delete(block)
    this.#slots.set(block, slot)
    slot.readers += 1
    let isTaken = true
    return {
      stream: (from, to, options) => this.#stream(slot.position + from, to - from, options),
      release: () => {
        if (isTaken) slot.readers -= 1
        isTaken = false
      },
    }
  }

  async keep(block: Block, bytes: Uint8Array): Promise<void> {
    const {scratch, usage} = this.#options
    if (scratch === undefined || this.#isClosed || this.has(block)) return
    const isFull = this.#isFull
    const slot = this.#slotFor(bytes.length)
    if (slot === undefined) return
    const grows = Math.max(0, bytes.length - slot.room)
    try {
      this.#file ??= openScratchFile(scratch)
      await (await this.#file).writeAt(bytes, slot.position, grows)
      slot.room += grows
      usage.scratchPeak += grows
      if (!this.#isClosed) this.#slots.set(block, slot)
    } catch (error) {
      this.#free.add(slot)
      this.#failed(error)
      if (!isFull) await this.keep(block, bytes)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#slots.clear()
    // An error of opening was told when a block was to be kept.
    const file = await this.#file?.catch(() => undefined)
    await file?.dispose()
  }

  async *#stream(offset: number, length: number, options: ReadOptions): Bytes {
    const {name, largest} = this.#options
    const file = await this.#file
    if (file === undefined) throw new Error('a block is kept in no file')
    yield* fileBytes(file.handle, {name, size: this.#count * largest}).stream(offset, length, options)
  }

  /** Returns a slot without a block: if there is no more room, the slot of the block that was read longest ago. */
  #slotFor(size: number): Slot | undefined {
    const isFull = this.#isFull
    const isFit = ({room, readers}: Slot): boolean => readers === 0 && (!isFull || room >= size)
    for (const slot of this.#free) {
      if (!isFit(slot)) continue
      this.#free.delete(slot)
      return slot
    }
    if (!isFull) return {position: this.#count++ * this.#options.largest, room: 0, readers: 0}
    for (const [block, slot] of this.#slots) {
      if (!isFit(slot)) continue
      this.#slots.delete(block)
      return slot
    }
    return undefined
  }

  get #isFull(): boolean {
    return performance.now() < this.#fullUntil
  }

  #failed(error: unknown): void {
    this.#fullUntil = performance.now() + FULL_FOR
    if (this.#isTold || this.#isClosed) return
    this.#isTold = true
    this.#options.onNote?.(
      `not all decoded content of ${this.#options.name} is kept, so it may be decoded again: ${messageOf(error)}`,
    )
  }
}
