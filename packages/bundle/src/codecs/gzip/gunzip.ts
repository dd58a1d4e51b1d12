import {constants, createGunzip} from 'node:zlib'
import {codeOf, isMirrorError, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from '../../bytes/abortable.js'
import type {DecodeOptions, SequentialDecoder} from '../sequential-decoder.js'
import {throughTransform} from '../through-transform.js'

const OUTPUT_BYTES = 256 * 1024
const INPUT_BYTES = 256 * 1024

/**
 * Decodes gzip, all members of a concatenation, with Node's zlib in libuv's pool. After the last member only zero padding
 * is allowed.
 */
export const gunzip: SequentialDecoder = async function* (
  compressed: Bytes,
  {name, signal}: DecodeOptions,
): Bytes {
  const transform = createGunzip({chunkSize: OUTPUT_BYTES, finishFlush: constants.Z_FINISH})
  try {
    for await (const chunk of throughTransform(compressed, transform, {sliceBytes: INPUT_BYTES})) {
      throwIfAborted(signal)
      yield chunk
    }
  } catch (cause) {
    throw isMirrorError(cause) ? cause : decodeError(name, transform.bytesWritten, cause)
  }
}

function decodeError(name: string, at: number, cause: unknown): MirrorError {
  const code = codeOf(cause)
  if (code === 'Z_BUF_ERROR') {
    return new MirrorError('SOURCE_TRUNCATED', `${name} ends in the middle of its gzip data, at byte ${at}`, {
      side: 'source',
      advice: {kind: 'copy-again-whole'},
      cause,
    })
  }
  // The first header was right, or this would not be taken for gzip: the wrong one belongs to a further member.
  if (cause instanceof Error && cause.message === 'incorrect header check') {
    return new MirrorError('SOURCE_CORRUPT', `data that is not gzip follows the gzip data of ${name}`, {
      side: 'source',
      advice: {kind: 'copy-again'},
      cause,
    })
  }
  return new MirrorError('SOURCE_CORRUPT', `the gzip data of ${name} is damaged before byte ${at}`, {
    side: 'source',
    advice: {kind: 'copy-again'},
    cause,
  })
}
