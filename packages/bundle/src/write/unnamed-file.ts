import {constants} from 'node:fs'
import {open, rm, type FileHandle} from 'node:fs/promises'
import {codeOf, type Bytes, type CallOptions} from '@airgap-mirror/oci-client/model'
import type {TakeSpace} from './target-space.js'
import {writeAt} from './write-at.js'
import {writeFailed} from './write-error.js'

export interface UnnamedFileOptions {
  /** The directory, for messages. */
  readonly path: string
  readonly take: TakeSpace
  /** Gives the complete file at a temporary path its name. */
  readonly name: (temporary: string, path: string) => Promise<void>
}

/** A file that grows under a temporary name until it gets its own. Disposed of without a name, it is gone. */
export class UnnamedFile implements AsyncDisposable {
  readonly #temporary: string
  readonly #file: FileHandle
  readonly #options: UnnamedFileOptions
  #size = 0
  #closed: Promise<void> | undefined

  private constructor(temporary: string, file: FileHandle, options: UnnamedFileOptions) {
    this.#temporary = temporary
    this.#file = file
    this.#options = options
  }

  /** @throws {MirrorError} WRITE_FAILED */
  static async begin(temporary: string, options: UnnamedFileOptions): Promise<UnnamedFile> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL
    const file = await open(temporary, flags).catch((cause: unknown) => {
      throw writeFailed(options.path, cause)
    })
    return new UnnamedFile(temporary, file, options)
  }

  get size(): number {
    return this.#size
  }

  /** Appends bytes. @throws {MirrorError} WRITE_FAILED, CANCELLED, and the errors of the bytes */
  async write(bytes: Bytes, {signal}: CallOptions = {}): Promise<void> {
    const {path, take} = this.#options
    this.#size += await writeAt(this.#file, bytes, {path, position: this.#size, take, signal})
  }

  /** The bytes so far. */
  read(): AsyncIterable<Uint8Array> {
    return this.#file.createReadStream({start: 0, autoClose: false})
  }

  /** Makes the file complete under its path below the directory. @throws {MirrorError} WRITE_FAILED */
  async name(path: string): Promise<void> {
    try {
      await this.#file.sync()
      await this.#close()
      await this.#options.name(this.#temporary, path)
    } catch (cause) {
      throw codeOf(cause) === undefined ? cause : writeFailed(this.#options.path, cause)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    await rm(this.#temporary, {force: true})
  }

  #close(): Promise<void> {
    this.#closed ??= this.#file.close()
    return this.#closed
  }
}
