import {MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import type {SequentialDecoder} from '../sequential-decoder.js'
import {LONGEST_BLOCK_HEADER, unknownFilter, type XzLibrary} from './block-header.js'
import {STREAM_HEADER_BYTES} from './container.js'

/** Returns the error of a source that is packed with a filter which the library does not know. */
export function filterNotKnown(name: string, filter: string, library: XzLibrary): MirrorError {
  return new MirrorError(
    'SOURCE_UNSUPPORTED',
    `${name} is packed with the xz filter ${filter}, which ${library} does not know`,
    {side: 'source', advice: {kind: 'decompress', compression: 'xz'}},
  )
}

/** Returns a decoder that refuses a first block with a filter which its library would take for damage. */
export function withKnownFilters(decode: SequentialDecoder, library: XzLibrary): SequentialDecoder {
  return async function* (compressed, options): Bytes {
    yield* decode(refusing(compressed, {name: options.name, library}), options)
  }
}

async function* refusing(
  compressed: Bytes,
  {name, library}: {readonly name: string; readonly library: XzLibrary},
): Bytes {
  const held: Uint8Array[] = []
  let size = 0
  let isChecked = false
  const check = (): void => {
    isChecked = true
    const first = Buffer.concat(held).subarray(STREAM_HEADER_BYTES)
    // A block header begins with its size, and a 0 there begins the Index of a stream without blocks.
    const filter = (first[0] ?? 0) === 0 ? undefined : unknownFilter(first, library)
    if (filter !== undefined) throw filterNotKnown(name, filter, library)
  }
  for await (const chunk of compressed) {
    if (isChecked) {
      yield chunk
      continue
    }
    size += chunk.length
    const isEnough = size >= STREAM_HEADER_BYTES + LONGEST_BLOCK_HEADER
    // The memory of a chunk may be used again for the next.
    held.push(isEnough ? chunk : new Uint8Array(chunk))
    if (!isEnough) continue
    check()
    yield* held
  }
  if (isChecked) return
  check()
  yield* held
}
