import type {Bytes} from '@airgap-mirror/oci-client/model'

/** The usage of a byte source so far; see `ByteSource.usage`. */
export interface Usage {
  decoded: number
  scratchPeak: number
}

/** Passes bytes on and counts them as decoded. */
export async function* counted(plain: Bytes, usage: Usage): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of plain) {
    usage.decoded += chunk.length
    yield chunk
  }
}
