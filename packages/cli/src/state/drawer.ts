import {createHash} from 'node:crypto'
import {open, readdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {
  codeOf,
  isJsonObject,
  makeDirectory,
  messageOf,
  type JsonObject,
} from '@airgap-mirror/oci-client/model'
import {replaceFile} from '../files/write-atomically.js'
import {HEAD_BYTES, seal, unseal} from './sealed.js'
import {discardOld} from './discard-old.js'

export interface DrawerBounds {
  /** Files kept at most; the oldest go first. */
  readonly entries: number
  /** Bytes of one entry. */
  readonly entryBytes: number
  /** Milliseconds after which an entry is as good as none. */
  readonly maxAge: number
}

export interface DrawerOptions extends DrawerBounds {
  /** Called once, with the error that keeps the drawer from being written or read. */
  readonly onTrouble: (text: string) => void
}

/**
 * Entries under keys, a file each. No call ever rejects: an unreadable entry counts as absent, an unwritable entry is
 * dropped. Any number of processes may use it at once, because entries are only replaced as a whole.
 */
export class Drawer {
  readonly #directory: string
  readonly #options: DrawerOptions
  /** The files that are there. A later process's are missed, which costs time; looking for each one would cost more. */
  #names: Promise<Set<string>> | undefined
  #isWritable = true
  #hasDiscarded = false
  #hasComplained = false

  constructor(directory: string, options: DrawerOptions) {
    this.#directory = directory
    this.#options = options
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const name = nameOf(key)
    if (!(await this.#list()).has(name)) return undefined
    try {
      const sealed = await this.#read(name)
      if (sealed === undefined) return undefined
      const content = unseal(key, sealed)
      if (content === undefined) await this.remove(key)
      return content
    } catch (error) {
      this.#complain(error)
      return undefined
    }
  }

  async getJson(key: string): Promise<JsonObject | undefined> {
    const content = await this.get(key)
    if (content === undefined) return undefined
    try {
      const json: unknown = JSON.parse(Buffer.from(content).toString('utf8'))
      return isJsonObject(json) ? json : undefined
    } catch {
      // It is whole, so another program wrote it: as good as none.
      return undefined
    }
  }

  /** @returns whether it is kept */
  async put(key: string, content: string | Uint8Array): Promise<boolean> {
    const bytes = Buffer.from(content)
    if (!this.#isWritable || bytes.length > this.#options.entryBytes) return false
    const name = nameOf(key)
    const names = await this.#list()
    try {
      if (names.size === 0) await makeDirectory(this.#directory, {mode: 0o700})
      await replaceFile(join(this.#directory, name), seal(key, bytes), {mode: 0o600, durable: false})
    } catch (error) {
      this.#isWritable = false
      this.#complain(error)
      return false
    }
    names.add(name)
    if (!this.#hasDiscarded) {
      this.#hasDiscarded = true
      // Nothing waits for it: the next run discards the rest.
      void discardOld(this.#directory, this.#options)
    }
    return true
  }

  async remove(key: string): Promise<void> {
    const name = nameOf(key)
    if (!(await this.#list()).delete(name)) return
    try {
      await rm(join(this.#directory, name), {force: true})
    } catch (error) {
      this.#complain(error)
    }
  }

  async #read(name: string): Promise<Uint8Array | undefined> {
    const {entryBytes, maxAge} = this.#options
    await using file = await open(join(this.#directory, name))
    const {size, mtimeMs} = await file.stat()
    if (size > entryBytes + HEAD_BYTES || Date.now() - mtimeMs > maxAge) return undefined
    return await file.readFile()
  }

  #list(): Promise<Set<string>> {
    this.#names ??= readdir(this.#directory).then(
      (names) => new Set(names),
      (error: unknown) => {
        this.#complain(error)
        return new Set()
      },
    )
    return this.#names
  }

  #complain(error: unknown): void {
    // Nothing there yet, or taken away by somebody meanwhile: that is how state may be.
    if (this.#hasComplained || codeOf(error) === 'ENOENT') return
    this.#hasComplained = true
    this.#options.onTrouble(messageOf(error))
  }
}

/** Keys may be long and hold anything. */
function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
