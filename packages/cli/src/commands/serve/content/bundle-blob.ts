import type {Content, ImageSource} from '@airgap-mirror/oci-client/model'
import type {ReadOptions, StoredBlob} from '../../../server/index.js'
import type {ReadingTurns} from './reading-turns.js'

/** A bundle that is served. */
export interface BundlePlace {
  readonly source: ImageSource
  /** Taken only if the source is read from its start. */
  readonly turns: ReadingTurns
}

interface Range {
  readonly start: number
  readonly end: number
}

/** A blob of a bundle. Its digest is checked once, when it is read whole for the first time: nodes check what they get. */
export class BundleBlob implements StoredBlob {
  readonly size: number
  readonly #content: Content
  readonly #place: BundlePlace
  #isVerified = false

  constructor(content: Content, {size, ...place}: BundlePlace & {readonly size: number}) {
    this.size = size
    this.#content = content
    this.#place = place
  }

  async *read(range: Range, options: ReadOptions): AsyncGenerator<Uint8Array> {
    const {source, turns} = this.#place
    const endTurn = source.access === 'in-order' ? await turns.take() : undefined
    try {
      yield* this.#read(range, options)
    } finally {
      endTurn?.()
    }
  }

  async *#read({start, end}: Range, {signal, reuseChunks}: ReadOptions): AsyncGenerator<Uint8Array> {
    let left = end - start
    if (left === 0) return
    const options = {offset: start, signal, reuseChunks, isVerified: this.#isVerified}
    for await (const bytes of this.#place.source.blob(this.#content).open(options)) {
      const wanted = bytes.length > left ? bytes.subarray(0, left) : bytes
      left -= wanted.length
      yield wanted
      // A whole blob is read to its end, where its digest is checked.
      if (left === 0 && end !== this.size) return
    }
    if (start === 0 && end === this.size) this.#isVerified = true
  }
}
