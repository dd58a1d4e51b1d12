import {isMirrorError, messageOf, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import type {SequentialDecoder} from '../sequential-decoder.js'
import {InThreadError, inThread} from '../threads/in-thread.js'
import type {ToWorker} from '../threads/worker-protocol.js'

/** The decoder that needs no native code, in a thread of its own: the last resort where neither library loads. */
export const portableXz: SequentialDecoder = async function* (compressed, {name, signal}): Bytes {
  try {
    yield* inThread('xz', {inputs: wholeStream(compressed), signal})
  } catch (thrown) {
    throw isMirrorError(thrown) ? thrown : decodeError(name, thrown)
  }
}

async function* wholeStream(compressed: Bytes): AsyncGenerator<ToWorker, void, undefined> {
  yield* compressed
  yield 'frame-end'
}

function decodeError(name: string, cause: unknown): MirrorError {
  if (cause instanceof InThreadError && cause.isEnd) {
    return new MirrorError('SOURCE_TRUNCATED', `the xz data of ${name} ends too early`, {
      side: 'source',
      advice: {kind: 'copy-again-whole'},
      cause,
    })
  }
  return new MirrorError('SOURCE_CORRUPT', `the xz data of ${name} is damaged: ${messageOf(cause)}`, {
    side: 'source',
    advice: {kind: 'copy-again'},
    cause,
  })
}
