import {createHash} from 'node:crypto'
import {open, type FileHandle} from 'node:fs/promises'
import {join} from 'node:path'
import {cancelled, type Bytes, type CallOptions} from '@airgap-mirror/oci-client/model'
import {targetSpace} from '../target-space.js'
import {writeFailed} from '../write-error.js'
import {HEAD_BYTES, type FileChecksum} from '../../volumes/checksums.js'

/** A file under a temporary name, with the data of its checksum line. */
export interface WrittenVolume extends Omit<FileChecksum, 'name'> {
  readonly path: string
}

export interface WriteVolumesOptions extends CallOptions {
  /** The directory of the files `volume.1` and so on. Existing files are replaced. */
  readonly directory: string
  /** The most bytes of a file. */
  readonly maxSize: number
}

/**
 * Writes bytes into files of at most `maxSize`, all but the last of exactly that size, and syncs them to disk. Without
 * any bytes, it writes one empty file.
 * @throws {MirrorError} WRITE_FAILED, CANCELLED, and the errors of `bytes`
 */
export async function writeVolumes(
  bytes: Bytes,
  options: WriteVolumesOptions,
): Promise<readonly WrittenVolume[]> {
  const {directory, maxSize, signal} = options
  const take = targetSpace(directory)
  const written: WrittenVolume[] = []
  let volume = await Volume.open(join(directory, 'volume.1'))
  try {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length;) {
        if (signal?.aborted) throw cancelled(signal)
        if (volume.size === maxSize) {
          written.push(await volume.finish())
          volume = await Volume.open(join(directory, `volume.${written.length + 1}`))
        }
        const part = chunk.subarray(at, at + maxSize - volume.size)
        await take(part.length)
        await volume.write(part)
        at += part.length
      }
    }
    written.push(await volume.finish())
    return written
  } finally {
    await volume.close()
  }
}

class Volume {
  readonly path: string
  readonly #file: FileHandle
  readonly #all = createHash('sha256')
  readonly #head = createHash('sha256')
  size = 0

  private constructor(path: string, file: FileHandle) {
    this.path = path
    this.#file = file
  }

  static async open(path: string): Promise<Volume> {
    try {
      return new Volume(path, await open(path, 'w'))
    } catch (cause) {
      throw writeFailed(path, cause)
    }
  }

  async write(part: Uint8Array): Promise<void> {
    this.#all.update(part)
    if (this.size < HEAD_BYTES) this.#head.update(part.subarray(0, HEAD_BYTES - this.size))
    this.size += part.length
    try {
      for (let at = 0; at < part.length;) at += (await this.#file.write(part, at)).bytesWritten
    } catch (cause) {
      throw writeFailed(this.path, cause)
    }
  }

  async finish(): Promise<WrittenVolume> {
    try {
      await this.#file.sync()
    } catch (cause) {
      throw writeFailed(this.path, cause)
    }
    await this.close()
    return {path: this.path, size: this.size, sha256: this.#all.digest('hex'), head: this.#head.digest('hex')}
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}
