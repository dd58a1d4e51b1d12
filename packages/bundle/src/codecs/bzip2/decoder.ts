import {isMirrorError, messageOf, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import type {SequentialDecoder} from '../sequential-decoder.js'
import {InThreadError, inThread} from '../threads/in-thread.js'
import type {ToWorker} from '../threads/worker-protocol.js'

/** Decodes bzip2, all streams of a concatenation, in a thread of its own. */
export const bunzip2: SequentialDecoder = async function* (compressed, options): Bytes {
  try {
    yield* inThread('bzip2', {inputs: wholeStream(compressed), signal: options.signal})
  } catch (thrown) {
    throw isMirrorError(thrown) ? thrown : decodeError(options.name, thrown)
  }
}

async function* wholeStream(compressed: Bytes): AsyncGenerator<ToWorker, void, undefined> {
  yield* compressed
  yield 'frame-end'
}

function decodeError(name: string, cause: unknown): MirrorError {
  if (cause instanceof InThreadError && cause.isEnd) {
    return new MirrorError('SOURCE_TRUNCATED', `${name} ends in the middle of its bzip2 data`, {
      side: 'source',
      advice: {kind: 'copy-again-whole'},
      cause,
    })
  }
  return new MirrorError('SOURCE_CORRUPT', `the bzip2 data of ${name} are damaged: ${messageOf(cause)}`, {
    side: 'source',
    advice: {kind: 'copy-again'},
    cause,
  })
}
