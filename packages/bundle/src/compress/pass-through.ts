import {cancelled} from '@airgap-mirror/oci-client/model'
import type {CompressLayer} from './compress.js'

/** The plain layer as it is; only the signal is heeded, between chunks. */
export const passThrough: CompressLayer = async function* (plain, options) {
  const throwIfAborted = (): void => {
    if (options?.signal?.aborted) throw cancelled(options.signal)
  }
  throwIfAborted()
  for await (const chunk of plain) {
    yield chunk
    throwIfAborted()
  }
}
