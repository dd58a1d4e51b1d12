import type {Bytes} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from '../bytes/abortable.js'
import type {ByteSource} from '../bytes/byte-source.js'
import {fileBytes} from '../bytes/file-bytes.js'
import type {Usage} from '../bytes/usage.js'
import {openScratchFile, type Scratch} from './scratch-file.js'

export interface SpoolOptions {
  readonly name: string
  readonly scratch: Scratch
  readonly usage: Usage
  readonly signal?: AbortSignal
}

/**
 * Writes a stream into scratch and returns it as a random access source. Nothing is left on disk after an error.
 * @throws {MirrorError} SCRATCH_FULL, WRITE_FAILED, CANCELLED, and the errors of `plain`
 */
export async function spool(plain: Bytes, options: SpoolOptions): Promise<ByteSource> {
  const {name, scratch, usage, signal} = options
  const file = await openScratchFile(scratch)
  let size = 0
  try {
    for await (const chunk of plain) {
      throwIfAborted(signal)
      await file.append(chunk)
      size += chunk.length
      usage.scratchPeak = Math.max(usage.scratchPeak, size)
    }
  } catch (error) {
    await file.dispose()
    throw error
  }
  const source = fileBytes(file.handle, {name, size, usage})
  return {...source, [Symbol.asyncDispose]: file.dispose}
}
