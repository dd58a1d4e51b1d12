import type {Content, ImageSource} from '@airgap-mirror/oci-client/model'
import type {ReadOptions, StoredBlob} from '../../../server/index.js'

/** A blob of a bundle. Its digest is checked once, when it is read whole for the first time: nodes check what they get. */
export class BundleBlob implements StoredBlob {
  readonly size: number
  readonly #content: Content
  readonly #source: ImageSource
  #isVerified = false

  constructor(content: Content, {size, source}: {readonly size: number; readonly source: ImageSource}) {
    this.size = size
    this.#content = content
    this.#source = source
  }

  async *read(
    {start, end}: {readonly start: number; readonly end: number},
    {signal, reuseChunks}: ReadOptions,
  ): AsyncGenerator<Uint8Array> {
    let left = end - start
    if (left === 0) return
    const options = {offset: start, signal, reuseChunks, isVerified: this.#isVerified}
    for await (const bytes of this.#source.blob(this.#content).open(options)) {
      const wanted = bytes.length > left ? bytes.subarray(0, left) : bytes
      left -= wanted.length
      yield wanted
      // A whole blob is read to its end, where its digest is checked.
      if (left === 0 && end !== this.size) return
    }
    if (start === 0 && end === this.size) this.#isVerified = true
  }
}
