import {isMirrorError, limits, type Bytes} from '@airgap-mirror/oci-client/model'
import type {SequentialDecoder} from '../sequential-decoder.js'
import {inThread} from '../threads/in-thread.js'
import type {ToWorker} from '../threads/worker-protocol.js'
import {zstdFrames} from './frames.js'
import {damaged} from './node-zstd.js'

/** Decodes in a thread of its own for each stream, because the library blocks its thread. */
export const workerZstd: SequentialDecoder = async function* (compressed, {name, signal}): Bytes {
  try {
    yield* inThread('zstd', {inputs: framesFor(compressed, name), signal})
  } catch (thrown) {
    throw isMirrorError(thrown) ? thrown : damaged(name, thrown)
  }
}

async function* framesFor(compressed: Bytes, name: string): AsyncGenerator<ToWorker, void, undefined> {
  for await (const frame of zstdFrames(compressed, {name, maxWindowBytes: limits.zstdWindowBytes})) {
    yield* frame.bytes
    yield 'frame-end'
  }
}
