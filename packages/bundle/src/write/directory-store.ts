import {createHash} from 'node:crypto'
import {constants} from 'node:fs'
import {lstat, open, rename} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {
  algorithmOf,
  ifAbsent,
  makeDirectory,
  MirrorError,
  type Bytes,
  type CallOptions,
  type Digest,
  type DigestAlgorithm,
} from '@airgap-mirror/oci-client/model'
import type {ContentStore} from './content-store.js'
import {targetSpace, type TakeSpace} from './target-space.js'
import {temporaryName} from './temporary-name.js'
import {UnnamedFile} from './unnamed-file.js'
import {ofBytes} from './write-at.js'
import {refused, writeFailed} from './write-error.js'

/**
 * Files below a directory, each written under a temporary name and then renamed. Linked directories below it are refused,
 * and linked files are replaced, so that nothing outside is written.
 */
export class DirectoryStore implements ContentStore {
  readonly path: string
  readonly #take: TakeSpace
  readonly #made = new Map<string, Promise<void>>()
  /** Digests of hashed files, until they are replaced. */
  readonly #hashed = new Map<string, Digest>()

  constructor(path: string) {
    this.path = path
    this.#take = targetSpace(path)
  }

  async sizeOf(path: string): Promise<number | undefined> {
    try {
      const stats = await lstat(join(this.path, path)).catch(ifAbsent)
      return stats?.isFile() === true ? stats.size : undefined
    } catch (cause) {
      throw writeFailed(join(this.path, path), cause)
    }
  }

  async holds(
    path: string,
    {digest, size}: {readonly digest: Digest; readonly size?: number},
  ): Promise<boolean> {
    const found = await this.sizeOf(path)
    if (found === undefined || (size !== undefined && found !== size)) return false
    const known = this.#hashed.get(path) ?? (await this.#hashOf(path, algorithmOf(digest)))
    this.#hashed.set(path, known)
    return known === digest
  }

  async #hashOf(path: string, algorithm: DigestAlgorithm): Promise<Digest> {
    const full = join(this.path, path)
    try {
      await using file = await open(full, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
      const hash = createHash(algorithm)
      for await (const chunk of file.createReadStream({autoClose: false})) hash.update(chunk as Uint8Array)
      return `${algorithm}:${hash.digest('hex')}`
    } catch (cause) {
      throw writeFailed(full, cause)
    }
  }

  async read(path: string, {limit}: {readonly limit: number}): Promise<Uint8Array | undefined> {
    const full = join(this.path, path)
    const size = await this.sizeOf(path)
    if (size === undefined) return undefined
    if (size > limit) {
      throw new MirrorError('LIMIT_EXCEEDED', `${full} has ${size} bytes: over the limit of ${limit}`, {
        side: 'target',
      })
    }
    try {
      await using file = await open(full, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
      const buffer = Buffer.alloc(size)
      const {bytesRead} = await file.read(buffer, 0, size, 0)
      return buffer.subarray(0, bytesRead)
    } catch (cause) {
      throw writeFailed(full, cause)
    }
  }

  async write(path: string, bytes: Bytes, options: CallOptions): Promise<void> {
    await this.writeUnnamed(bytes, {...options, place: async () => path})
  }

  async writeUnnamed(
    bytes: Bytes,
    options: CallOptions & {readonly place: (size: number) => Promise<string | undefined>},
  ): Promise<void> {
    await using file = await this.begin()
    await file.write(bytes, options)
    const path = await options.place(file.size)
    if (path !== undefined) await file.name(path)
  }

  /** Begins a file that gets its path when it is complete. @throws {MirrorError} WRITE_FAILED */
  async begin(prefix = 'blob'): Promise<UnnamedFile> {
    await this.#directory('.')
    return UnnamedFile.begin(temporaryName(join(this.path, prefix)), {
      path: this.path,
      take: this.#take,
      name: async (temporary, path) => {
        await this.#directory(dirname(path))
        this.#hashed.delete(path)
        await rename(temporary, join(this.path, path))
      },
    })
  }

  /** Makes directories now rather than with their first file. @throws {MirrorError} USAGE for links, WRITE_FAILED */
  async prepare(...directories: readonly string[]): Promise<void> {
    for (const directory of directories) await this.#directory(directory)
  }

  async finish(files: ReadonlyMap<string, Uint8Array>, options: CallOptions = {}): Promise<void> {
    for (const [path, bytes] of files) await this.write(path, ofBytes(bytes), options)
  }

  async close(): Promise<void> {}

  /** Creates a directory below this directory, with its parents. */
  #directory(path: string): Promise<void> {
    const known = this.#made.get(path)
    if (known !== undefined) return known
    const making = this.#makeDirectory(path)
    this.#made.set(path, making)
    return making
  }

  async #makeDirectory(path: string): Promise<void> {
    const full = join(this.path, path)
    try {
      if (path === '.') {
        await makeDirectory(full)
        return
      }
      await this.#directory(dirname(path))
      const existing = await lstat(full).catch(ifAbsent)
      if (existing === undefined) await makeDirectory(full)
      else if (!existing.isDirectory()) {
        throw refused(`${full} is ${existing.isSymbolicLink() ? 'a link' : 'no directory'}`, {
          kind: 'use-another-directory',
        })
      }
    } catch (cause) {
      throw writeFailed(full, cause)
    }
  }
}
