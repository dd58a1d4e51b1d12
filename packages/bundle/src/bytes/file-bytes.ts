import type {FileHandle} from 'node:fs/promises'
import {messageOf, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import {throwIfAborted} from './abortable.js'
import {chunkBytes, FILE_CHUNK_BYTES, giveBack, takeBuffer} from './chunk-buffers.js'
import type {ByteSource, ReadOptions} from './byte-source.js'
import type {Usage} from './usage.js'

export interface FileBytesOptions {
  readonly name: string
  readonly size: number
  readonly usage?: Readonly<Usage>
}

/** Returns an open file as a byte source. Disposing the source closes the file. */
export function fileBytes(handle: FileHandle, options: FileBytesOptions): ByteSource {
  const {name, size} = options

  /** Returns a buffer filled from the file: a new one, unless there is one to use again. */
  const fill = async (offset: number, length: number, used?: Uint8Array): Promise<Uint8Array> => {
    const buffer = used?.subarray(0, length) ?? Buffer.allocUnsafeSlow(length)
    let filled = 0
    while (filled < length) {
      const {bytesRead} = await handle
        .read(buffer, filled, length - filled, offset + filled)
        .catch((cause: unknown) => {
          throw new MirrorError('SOURCE_UNREADABLE', `cannot read ${name}: ${messageOf(cause)}`, {
            side: 'source',
            cause,
          })
        })
      if (bytesRead === 0) throw shrunk(name, offset + filled)
      filled += bytesRead
    }
    return buffer
  }

  async function* stream(offset: number, length: number, options: ReadOptions = {}): Bytes {
    const {signal, reuseChunks = false} = options
    if (offset + length > size) throw endsBefore(name, {size, wanted: offset + length})
    const used = reuseChunks ? takeBuffer(Math.min(chunkBytes(), length)) : undefined
    const most = used?.length ?? FILE_CHUNK_BYTES
    // A reader that leaves early may still be at work on its last chunk.
    let isIdle = false
    try {
      for (let done = 0; done < length;) {
        throwIfAborted(signal)
        const chunk = await fill(offset + done, Math.min(most, length - done), used)
        done += chunk.length
        yield chunk
      }
      isIdle = true
    } finally {
      giveBack(used, {isIdle})
    }
  }

  return {
    name,
    access: 'random',
    usage: options.usage ?? {decoded: 0, scratchPeak: 0},
    read: async (offset, length, {signal} = {}) => {
      throwIfAborted(signal)
      return fill(offset, Math.max(0, Math.min(length, size - offset)))
    },
    stream,
    hold: () => () => {},
    size: async () => size,
    [Symbol.asyncDispose]: async () => handle.close(),
  }
}

/** Returns the error of a source that ends before the wanted bytes. */
export function endsBefore(
  name: string,
  {size, wanted}: {readonly size: number; readonly wanted: number},
): MirrorError {
  return new MirrorError(
    'SOURCE_TRUNCATED',
    `${name} ends at byte ${size}, but its content goes on to ${wanted}`,
    {
      side: 'source',
      advice: {kind: 'copy-again-whole'},
    },
  )
}

function shrunk(name: string, at: number): MirrorError {
  return new MirrorError(
    'SOURCE_TRUNCATED',
    `${name} became shorter while it was read: nothing at byte ${at}`,
    {
      side: 'source',
      advice: {kind: 'wait-until-written'},
    },
  )
}
