import {once} from 'node:events'
import type {Writable} from 'node:stream'
import type {Bytes} from '@airgap-mirror/oci-client/model'
import {writeFailed} from '../write-error.js'

/**
 * Writes bytes as fast as the stream's reader takes them, and leaves the stream open.
 * @throws {MirrorError} WRITE_FAILED if the reader has gone, and the errors of `bytes`
 */
export async function writeToStream(stream: Writable, bytes: Bytes): Promise<void> {
  let failure: unknown
  const fail = (error: unknown): void => {
    failure ??= error
  }
  stream.once('error', fail)
  try {
    for await (const chunk of bytes) {
      if (failure !== undefined) break
      // A copy, because the stream may keep a chunk for longer than `bytes` does.
      if (!stream.write(new Uint8Array(chunk))) await once(stream, 'drain').catch(fail)
    }
    // Waits for the flush, because a process that ends earlier would truncate the output.
    if (failure === undefined) {
      await new Promise<void>((resolve) => {
        stream.write('', (error) => {
          if (error != null) fail(error)
          resolve()
        })
      })
    }
  } finally {
    stream.off('error', fail)
  }
  if (failure !== undefined) throw writeFailed('standard output', failure)
}
