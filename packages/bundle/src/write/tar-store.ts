import {open, rename, rm, type FileHandle} from 'node:fs/promises'
import {
  followOwnLinks,
  cancelled,
  type Bytes,
  type CallOptions,
  type Digest,
} from '@airgap-mirror/oci-client/model'
import type {ContentStore} from './content-store.js'
import {BLOCK_BYTES, tarPadding} from '../tar/header.js'
import {tarFileHeader} from './tar-file-header.js'
import {targetSpace, type TakeSpace} from './target-space.js'
import {temporaryName} from './temporary-name.js'
import {Turns} from './turns.js'
import {ofBytes, writeAt} from './write-at.js'
import {refused, writeFailed} from './write-error.js'

interface Region {
  readonly offset: number
  readonly length: number
}

/** The rule for an existing archive when this archive is finished. */
export type ReplaceRule = 'replace' | {readonly refuseWith: (path: string) => Error}

/**
 * A tar that is made under a temporary name beside its own. Files of known size get their place at once and are written
 * in parallel. A file of unknown size is written at the end, while the others wait for their places.
 */
export class TarStore implements ContentStore {
  readonly path: string
  readonly #existing: ReplaceRule
  readonly #take: TakeSpace
  readonly #turns = new Turns()
  readonly #files = new Map<string, Region>()
  /** Places of files that were not written completely. */
  readonly #holes: Region[] = []
  #file: Promise<{readonly handle: FileHandle; readonly temporary: string}> | undefined
  #end = 0
  #isAppending = false
  #isFinished = false

  constructor(path: string, options: {readonly existing: ReplaceRule}) {
    this.path = path
    this.#existing = options.existing
    this.#take = targetSpace(path)
  }

  /** Size is enough, because all content of the archive was verified while it was written. */
  async holds(path: string, {size}: {readonly digest: Digest; readonly size?: number}): Promise<boolean> {
    const found = await this.sizeOf(path)
    return found !== undefined && (size === undefined || found === size)
  }

  async sizeOf(path: string): Promise<number | undefined> {
    return this.#files.get(path)?.length
  }

  async read(path: string, {limit}: CallOptions & {readonly limit: number}): Promise<Uint8Array | undefined> {
    const region = this.#files.get(path)
    if (region === undefined) return undefined
    const {handle} = await this.#opened()
    const buffer = Buffer.alloc(Math.min(region.length, limit))
    const {bytesRead} = await handle.read(buffer, 0, buffer.length, region.offset).catch((cause: unknown) => {
      throw writeFailed(this.path, cause)
    })
    return buffer.subarray(0, bytesRead)
  }

  async write(path: string, bytes: Bytes, options: CallOptions & {readonly size: number}): Promise<void> {
    const {size, signal} = options
    const [endTurn, header] = await Promise.all([this.#turns.take(), tarFileHeader(path, size)])
    const region = {offset: this.#end, length: header.length + size + tarPadding(size)}
    this.#end += region.length
    endTurn()
    try {
      const {handle} = await this.#opened()
      const content = region.offset + header.length
      await this.#write(handle, bytes, {position: content, signal})
      await this.#write(handle, ofBytes(new Uint8Array(tarPadding(size))), {position: content + size})
      await this.#write(handle, ofBytes(header), {position: region.offset})
      this.#files.set(path, {offset: content, length: size})
    } catch (error) {
      this.#giveUp(region)
      throw error
    }
  }

  async writeUnnamed(
    bytes: Bytes,
    options: CallOptions & {readonly place: (size: number) => Promise<string | undefined>},
  ): Promise<void> {
    const endTurn = await this.#turns.take()
    this.#isAppending = true
    try {
      const content = this.#end + BLOCK_BYTES
      const {handle} = await this.#opened()
      const size = await this.#write(handle, bytes, {position: content, signal: options.signal})
      const path = await options.place(size)
      if (path === undefined) return
      const header = await tarFileHeader(path, size)
      if (header.length !== BLOCK_BYTES)
        throw new RangeError(`${path} does not fit the one block left for it`)
      await this.#write(handle, ofBytes(new Uint8Array(tarPadding(size))), {position: content + size})
      await this.#write(handle, ofBytes(header), {position: this.#end})
      this.#files.set(path, {offset: content, length: size})
      this.#end = content + size + tarPadding(size)
    } finally {
      this.#isAppending = false
      endTurn()
    }
  }

  async finish(files: ReadonlyMap<string, Uint8Array>, {signal}: CallOptions = {}): Promise<void> {
    for (const [path, bytes] of files) await this.write(path, ofBytes(bytes), {size: bytes.length, signal})
    const {handle, temporary} = await this.#opened()
    for (const [index, {offset, length}] of this.#holes.entries()) {
      const header = await tarFileHeader(`.unused/${index}`, length - BLOCK_BYTES)
      await this.#write(handle, ofBytes(header), {position: offset})
    }
    try {
      await handle.truncate(this.#end)
      await handle.truncate(this.#end + 2 * BLOCK_BYTES)
      await handle.sync()
      const {place, existing} = await followOwnLinks(this.path)
      if (existing !== undefined && this.#existing !== 'replace') throw this.#existing.refuseWith(this.path)
      await rename(temporary, place)
      this.#isFinished = true
    } catch (cause) {
      throw writeFailed(this.path, cause)
    }
  }

  async close(): Promise<void> {
    if (this.#file === undefined) return
    const file = await this.#file.catch(() => undefined)
    await file?.handle.close()
    if (file !== undefined && !this.#isFinished) await rm(file.temporary, {force: true})
  }

  #write(handle: FileHandle, bytes: Bytes, at: CallOptions & {readonly position: number}): Promise<number> {
    if (at.signal?.aborted) throw cancelled(at.signal)
    return writeAt(handle, bytes, {...at, path: this.path, take: this.#take})
  }

  #opened(): Promise<{readonly handle: FileHandle; readonly temporary: string}> {
    this.#file ??= this.#open()
    return this.#file
  }

  async #open(): Promise<{readonly handle: FileHandle; readonly temporary: string}> {
    try {
      // Beside the link's target, so that the rename stays on one disk.
      const temporary = temporaryName((await followOwnLinks(this.path)).place)
      return {handle: await open(temporary, 'wx+'), temporary}
    } catch (cause) {
      throw writeFailed(this.path, cause)
    }
  }

  #giveUp(region: Region): void {
    const isLast = !this.#isAppending && region.offset + region.length === this.#end
    if (isLast) this.#end = region.offset
    else this.#holes.push(region)
  }
}

/**
 * Checks before any write that an archive can be created at a path. @returns true if an archive exists there
 * @throws {MirrorError} USAGE
 */
export async function checkArchivePath(path: string): Promise<boolean> {
  const existing = await statOf(path)
  if (existing === undefined || existing.isFile()) return existing !== undefined
  throw refused(`${path} is ${existing.isDirectory() ? 'a directory' : 'no regular file'}`, {
    kind: 'use-new-file',
  })
}

async function statOf(path: string) {
  try {
    return (await followOwnLinks(path)).existing
  } catch (cause) {
    throw writeFailed(path, cause)
  }
}
