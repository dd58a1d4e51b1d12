import {isMirrorError, messageOf, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import type Lzma from 'lzma-native'
import {throwIfAborted} from '../../bytes/abortable.js'
import type {DecodeOptions, SequentialDecoder} from '../sequential-decoder.js'
import {throughTransform} from '../through-transform.js'

const OUTPUT_BYTES = 512 * 1024
/** lzma-native expands a whole input in its own memory: at xz's best ratio, some 7000, this becomes 112 MiB. */
const INPUT_BYTES = 16 * 1024

/** Loads lzma-native's decoder: available on more platforms than node-liblzma's, and slower. */
export async function loadLzmaNative(): Promise<SequentialDecoder> {
  const {default: lzma} = await import('lzma-native')
  return (compressed, options) => decode(compressed, {...options, lzma})
}

async function* decode(compressed: Bytes, options: DecodeOptions & {readonly lzma: typeof Lzma}): Bytes {
  const {name, signal, lzma} = options
  const transform = lzma.createStream('streamDecoder', {
    flags: lzma.CONCATENATED,
    bufsize: OUTPUT_BYTES,
    readableHighWaterMark: OUTPUT_BYTES,
    writableHighWaterMark: 1,
  })
  // It emits `error` and then ends like a success, so the first error decides.
  let failure: unknown
  transform.once('error', (error) => (failure = error))
  try {
    for await (const chunk of throughTransform(copied(compressed), transform, {sliceBytes: INPUT_BYTES})) {
      throwIfAborted(signal)
      yield chunk
    }
  } catch (thrown) {
    failure ??= thrown
  } finally {
    transform.cleanup()
  }
  if (failure !== undefined) throw isMirrorError(failure) ? failure : decodeError(name, failure)
}

/** The stream asks for the next chunk before the transform has used this one. */
async function* copied(compressed: Bytes): Bytes {
  for await (const chunk of compressed) yield new Uint8Array(chunk)
}

function decodeError(name: string, cause: unknown): MirrorError {
  const text = messageOf(cause)
  const truncated = text.includes('LZMA_BUF_ERROR') || text.includes('No progress is possible')
  return truncated
    ? new MirrorError('SOURCE_TRUNCATED', `the xz data of ${name} ends too early`, {
        side: 'source',
        advice: {kind: 'copy-again-whole'},
        cause,
      })
    : new MirrorError('SOURCE_CORRUPT', `the xz data of ${name} is damaged: ${text}`, {
        side: 'source',
        advice: {kind: 'copy-again'},
        cause,
      })
}
