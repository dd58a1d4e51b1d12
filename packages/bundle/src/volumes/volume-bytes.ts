import {open} from 'node:fs/promises'
import {messageOf, MirrorError, type Bytes} from '@airgap-mirror/oci-client/model'
import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'
import {endsBefore, fileBytes} from '../bytes/file-bytes.js'
import type {VolumeSet} from './volume-set.js'

interface Part {
  readonly start: number
  readonly end: number
  readonly bytes: ByteSource
}

/**
 * Opens the volumes of a bundle as one byte source, whose errors name the volume. Disposing it closes them.
 * @throws {MirrorError} SOURCE_UNREADABLE
 */
export async function openVolumes({name, size, volumes}: VolumeSet): Promise<ByteSource> {
  const parts: Part[] = []
  const close = async (): Promise<void> => {
    for (const {bytes} of parts) await bytes[Symbol.asyncDispose]()
  }
  try {
    let start = 0
    for (const volume of volumes) {
      const handle = await open(volume.path).catch((cause: unknown) => {
        throw new MirrorError('SOURCE_UNREADABLE', `cannot read ${volume.path}: ${messageOf(cause)}`, {
          side: 'source',
          cause,
        })
      })
      const end = start + volume.size
      parts.push({start, end, bytes: fileBytes(handle, {name: volume.path, size: volume.size})})
      start = end
    }
  } catch (error) {
    await close()
    throw error
  }

  async function* stream(offset: number, length: number, options?: ReadOptions): Bytes {
    const end = offset + length
    if (end > size) throw endsBefore(name, {size, wanted: end})
    for (const part of parts) {
      const from = Math.max(offset, part.start)
      const to = Math.min(end, part.end)
      if (from < to) yield* part.bytes.stream(from - part.start, to - from, options)
    }
  }

  return {
    name,
    access: 'random',
    usage: {decoded: 0, scratchPeak: 0},
    read: async (offset, length, options) => {
      const available = Math.min(length, size - offset)
      const chunks: Uint8Array[] = []
      if (available > 0) for await (const chunk of stream(offset, available, options)) chunks.push(chunk)
      return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
    },
    stream,
    hold: () => () => {},
    size: async () => size,
    [Symbol.asyncDispose]: close,
  }
}
