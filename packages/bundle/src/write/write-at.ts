import type {FileHandle} from 'node:fs/promises'
import {cancelled, type Bytes} from '@airgap-mirror/oci-client/model'
import type {TakeSpace} from './target-space.js'
import {writeFailed} from './write-error.js'

export interface WriteAt {
  /** For messages. */
  readonly path: string
  readonly position: number
  readonly take: TakeSpace
  readonly signal?: AbortSignal
}

/**
 * Writes all bytes from a position on. @returns their number
 * @throws {MirrorError} WRITE_FAILED, CANCELLED, and the errors of the bytes
 */
export async function writeAt(file: FileHandle, bytes: Bytes, at: WriteAt): Promise<number> {
  const {path, position, take, signal} = at
  let size = 0
  for await (const chunk of bytes) {
    if (signal?.aborted) throw cancelled(signal)
    await take(chunk.length)
    for (let offset = 0; offset < chunk.length;) {
      const {bytesWritten} = await file
        .write(chunk, offset, chunk.length - offset, position + size + offset)
        .catch((cause: unknown) => {
          throw writeFailed(path, cause)
        })
      offset += bytesWritten
    }
    size += chunk.length
  }
  return size
}

/** Yields bytes that are in memory already. */
export async function* ofBytes(bytes: Uint8Array): Bytes {
  if (bytes.length > 0) yield bytes
}
