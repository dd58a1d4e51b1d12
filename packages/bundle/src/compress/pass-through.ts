import {cancelled} from '@airgap-mirror/oci-client/model'
import type {CompressLayer} from './compress.js'

/** The plain layer as it is, in chunks for the consumer to keep; the signal is heeded between them. */
export const passThrough: CompressLayer = async function* (plain, options) {
  const throwIfAborted = (): void => {
    if (options?.signal?.aborted) throw cancelled(options.signal)
  }
  throwIfAborted()
  for await (const chunk of plain) {
    yield new Uint8Array(chunk)
    throwIfAborted()
  }
}
