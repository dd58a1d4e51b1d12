import {createHash} from 'node:crypto'
import {digestFrom, type Bytes, type Digest} from '@airgap-mirror/oci-client/model'
import {decoderOf} from '../unpack/open-packed.js'
import {sniffCompression} from '../codecs/sniff.js'
import {UnpackAccount} from './unpack-account.js'

/** The number of bytes from which a compression is recognised. */
const SNIFF_BYTES = 512

export interface PlainLayer {
  readonly bytes: Bytes
  /** Available after the end of the bytes. */
  readonly diffId: () => Digest
}

export interface PlainLayerOptions {
  readonly name: string
  /** Shared by all layers of an archive. Default: an account for this layer alone. */
  readonly account?: UnpackAccount
  readonly signal?: AbortSignal
}

/**
 * Returns a layer's plain tar; the compression is detected from the content.
 * @throws {MirrorError} SOURCE_CORRUPT, SOURCE_TRUNCATED, SOURCE_UNSUPPORTED, LIMIT_EXCEEDED for a compression bomb
 */
export function plainLayer(packed: Bytes, options: PlainLayerOptions): PlainLayer {
  const {name, account = new UnpackAccount()} = options
  const hash = createHash('sha256')
  async function* hashed(): Bytes {
    for await (const chunk of decoded(account.packed(packed), options)) {
      account.unpacked(chunk.length, name)
      hash.update(chunk)
      yield chunk
    }
  }
  return {bytes: hashed(), diffId: () => digestFrom(hash.copy())}
}

async function* decoded(
  packed: Bytes,
  {name, signal}: {readonly name: string; readonly signal?: AbortSignal},
): Bytes {
  const rest = packed[Symbol.asyncIterator]()
  try {
    let head: Uint8Array = new Uint8Array()
    while (head.length < SNIFF_BYTES) {
      const {done, value} = await rest.next()
      if (done === true) break
      head = Buffer.concat([head, value])
    }
    const whole = joined(head, rest)
    const compression = sniffCompression(head.subarray(0, SNIFF_BYTES), name)
    if (compression === 'plain') yield* whole
    else yield* (await decoderOf(compression))(whole, {name, signal})
  } finally {
    await rest.return?.()
  }
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): Bytes {
  if (head.length > 0) yield head
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}
