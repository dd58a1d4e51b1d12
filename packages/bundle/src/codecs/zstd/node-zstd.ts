import type {Transform} from 'node:stream'
import * as zlib from 'node:zlib'
import {isMirrorError, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from '../../bytes/abortable.js'
import type {SequentialDecoder} from '../sequential-decoder.js'
import {throughTransform} from '../through-transform.js'
import {zstdFrames} from './frames.js'

/** Node has these from 22.15 on; the types describe the oldest supported version. */
interface ZlibWithZstd {
  readonly createZstdDecompress?: (options: {
    readonly chunkSize: number
    readonly params: Readonly<Record<number, number>>
  }) => Transform
  readonly constants: object
}

const OUTPUT_BYTES = 512 * 1024
const INPUT_BYTES = 256 * 1024
/** The largest window of the format that has a decoder (ZSTD_WINDOWLOG_MAX on 64 bits). */
const WINDOW_LOG_MAX = 31

/**
 * Returns Node's own decoder, in libuv's pool; undefined before Node 22.15. It makes a new stream for each frame, because
 * a stream stops after the first.
 */
export function nodeZstd(): SequentialDecoder | undefined {
  const {createZstdDecompress, constants}: ZlibWithZstd = zlib
  const windowLogMax: unknown = Reflect.get(constants, 'ZSTD_d_windowLogMax')
  if (createZstdDecompress === undefined || typeof windowLogMax !== 'number') return undefined
  const params = {[windowLogMax]: WINDOW_LOG_MAX}
  return async function* (compressed, {name, signal}): Bytes {
    try {
      for await (const frame of zstdFrames(compressed, {name, maxWindowBytes: 2 ** WINDOW_LOG_MAX})) {
        const transform = createZstdDecompress({chunkSize: OUTPUT_BYTES, params})
        for await (const chunk of throughTransform(frame.bytes, transform, {sliceBytes: INPUT_BYTES})) {
          throwIfAborted(signal)
          yield chunk
        }
      }
    } catch (thrown) {
      throw isMirrorError(thrown) ? thrown : damaged(name, thrown)
    }
  }
}

/** Returns the error of zstd data that are complete but invalid. */
export function damaged(name: string, cause: unknown): MirrorError {
  return new MirrorError('SOURCE_CORRUPT', `the zstd data of ${name} is damaged`, {
    side: 'source',
    advice: {kind: 'copy-again'},
    cause,
  })
}
