import {cancelled} from '@airgap-mirror/oci-client/model'
import type {CompressLayer} from './compress.js'

/** Yields the plain layer unchanged, in chunks that the consumer may keep; checks the signal between them. */
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
