import {pipeline, Readable, type Transform} from 'node:stream'
import type {Bytes} from '@airgap-mirror/oci-client/model'

/**
 * Sends bytes through a transform stream, in slices of at most `sliceBytes`. Some transforms expand a whole input before
 * their output is read, so the slice bounds a compression bomb.
 */
export async function* throughTransform(
  input: Bytes,
  transform: Transform,
  options: {readonly sliceBytes: number},
): Bytes {
  const source = Readable.from(sliced(input, options.sliceBytes), {objectMode: true, highWaterMark: 1})
  // The reading loop below gets every error too, because pipeline passes it to the transform.
  pipeline(source, transform, () => {})
  try {
    for await (const chunk of transform) yield chunk as Uint8Array
  } finally {
    source.destroy()
    transform.destroy()
  }
}

async function* sliced(input: Bytes, length: number): Bytes {
  for await (const chunk of input) {
    for (let offset = 0; offset < chunk.length; offset += length)
      yield chunk.subarray(offset, offset + length)
  }
}
