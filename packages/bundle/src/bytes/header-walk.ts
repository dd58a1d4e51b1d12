import type {MirrorError} from '@airgap-mirror/oci-client/model'
import type {BlockCache} from './block-cache.js'
import {aheadOfWalk, keepsAll, type BlockFacts} from './block-policy.js'
import {decodeAhead} from './decode-ahead.js'
import type {PlacedBlock} from './placed-block.js'

export interface HeaderWalkOptions {
  readonly blocks: readonly PlacedBlock[]
  readonly cache: BlockCache
  readonly facts: () => BlockFacts
  readonly prefetch: (block: PlacedBlock) => void
  /** False if no content is read after the walk. */
  readonly contentFollows: boolean
}

/** Small reads of ever further blocks: decodes ahead of them, and stops decoding the blocks that they leave. */
export class HeaderWalk {
  readonly #options: HeaderWalkOptions
  /** The block of the last small read, and how often the walk took the next block or leaped further. */
  #lastRead = -1
  #steps = 0
  #leaps = 0
  /** Stops the decoding ahead of the walk. */
  #ahead: AbortController | undefined
  #isClosed = false

  constructor(options: HeaderWalkOptions) {
    this.#options = options
  }

  /** Follows a small read to the block at `index`. */
  goTo(index: number): void {
    if (index === this.#lastRead) return
    const {blocks, facts, contentFollows, prefetch} = this.#options
    const [left, guessed] = blocks.slice(Math.max(0, this.#lastRead), this.#lastRead + 2)
    if (left !== undefined && this.#lastRead >= 0) this.#leave(left)
    if (index === this.#lastRead + 1) this.#steps += 1
    else {
      this.#leaps += 1
      if (guessed !== undefined) this.#leave(guessed)
    }
    this.#lastRead = index
    const ahead = aheadOfWalk(facts(), {steps: this.#steps, leaps: this.#leaps, contentFollows})
    if (ahead === 'all') return this.#decodeAhead(index)
    const next = blocks[index + 1]
    if (ahead === 'none' || next === undefined) return
    // Deferred, because the requested read goes before a guess.
    queueMicrotask(() => {
      if (!this.#isClosed && this.#lastRead === index) prefetch(next)
    })
  }

  close(reason: MirrorError): void {
    this.#isClosed = true
    this.#ahead?.abort(reason)
  }

  /** Decodes once all that the cache will keep, no matter whether the walk reads or skips it. */
  #decodeAhead(index: number): void {
    if (this.#ahead !== undefined) return
    this.#ahead = new AbortController()
    const {blocks, cache, facts} = this.#options
    const isWanted = (): boolean => keepsAll(facts())
    void decodeAhead(blocks.slice(index + 1), {cache, isWanted, signal: this.#ahead.signal})
  }

  /** Stops decoding a block that the walk has left, unless it will still be cached when its content is requested. */
  #leave(block: PlacedBlock): void {
    const {cache, facts} = this.#options
    cache.abandon(block)
    if (block.sparse !== undefined && !keepsAll(facts())) cache.abandon(block.sparse.coded)
  }
}
