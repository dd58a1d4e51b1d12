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

/** A blob of a bundle. Its digest is checked once, by the first reader of the whole blob: nodes check what they get. */
export class BundleBlob implements StoredBlob {
  readonly size: number
  readonly #content: Content
  readonly #place: BundlePlace
  #digest: 'unchecked' | 'being checked' | 'right' = 'unchecked'

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
    if (start === end) return
    const isWhole = start === 0 && end === this.size
    const isChecking = isWhole && this.#digest === 'unchecked'
    const isVerified = isWhole ? !isChecking : this.#digest === 'right'
    if (isChecking) this.#digest = 'being checked'
    let isRight = false
    try {
      const blob = this.#place.source.blob(this.#content)
      yield* cut(
        blob.open({offset: start, signal, reuseChunks, isVerified}),
        isWhole ? Infinity : end - start,
      )
      isRight = true
    } finally {
      if (isChecking) this.#digest = isRight ? 'right' : 'unchecked'
    }
  }
}

/** Yields the first bytes. A whole blob is read to its end, where its digest is checked. */
async function* cut(bytes: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length
  for await (const chunk of bytes) {
    yield chunk.length > left ? chunk.subarray(0, left) : chunk
    left -= chunk.length
    if (left <= 0) return
  }
}
