import {constants, type Stats} from 'node:fs'
import {open, type FileHandle} from 'node:fs/promises'
import {cancelled, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import type {ReadOptions} from '../bytes/byte-source.js'
import {openBytes} from '../unpack/open-bytes.js'
import type {TreeFile} from './file-tree.js'

const CHUNK = 256 * 1024

/** Returns a file of a directory tree; `path` has its links resolved. */
export function diskFile(path: string, size: number): TreeFile {
  return {
    name: path,
    size,
    position: 0,
    read: async (offset, length, options) => {
      await using file = await openRegular(path, options)
      return readAt(file, {path, offset, length: Math.max(0, Math.min(length, size - offset))})
    },
    stream: ({offset = 0, signal} = {}) => streamFile(path, {offset, end: size, signal}),
    hold: () => () => {},
    openArchive: (options) => openBytes({path}, options),
  }
}

async function* streamFile(
  path: string,
  {offset, end, signal}: ReadOptions & {readonly offset: number; readonly end: number},
): AsyncGenerator<Uint8Array, void, undefined> {
  await using file = await openRegular(path, {signal})
  for (let at = offset; at < end;) {
    if (signal?.aborted) throw cancelled(signal)
    const chunk = await readAt(file, {path, offset: at, length: Math.min(CHUNK, end - at)})
    if (chunk.length === 0) {
      throw new MirrorError('SOURCE_TRUNCATED', `${path} became shorter while it was read`, {side: 'source'})
    }
    at += chunk.length
    yield chunk
  }
}

// Refuses a link or a pipe put in the file's place since the directory was listed.
async function openRegular(path: string, options: ReadOptions = {}): Promise<FileHandle> {
  if (options.signal?.aborted) throw cancelled(options.signal)
  let file: FileHandle | undefined
  let stats: Stats
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    stats = await file.stat()
  } catch (cause) {
    await file?.close()
    throw unreadable(path, cause)
  }
  if (stats.isFile()) return file
  await file.close()
  throw unreadable(path, new Error('it is no longer a regular file'))
}

async function readAt(
  file: FileHandle,
  {path, offset, length}: {readonly path: string; readonly offset: number; readonly length: number},
): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length)
  try {
    const {bytesRead} = await file.read(buffer, 0, length, offset)
    return buffer.subarray(0, bytesRead)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** Returns an error of the file system as the error of an unreadable source. */
export function unreadable(path: string, cause: unknown): MirrorError {
  return new MirrorError('SOURCE_UNREADABLE', `cannot read ${path}: ${messageOf(cause)}`, {
    side: 'source',
    cause,
  })
}
