import {lstat, open, readdir, readFile, rm, rmdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {
  algorithmOf,
  codeOf,
  digestFrom,
  fateOf,
  ifAbsent,
  makeDirectory,
  MirrorError,
  parseHolder,
  thisProcess,
  type Bytes,
  type CallOptions,
  type Descriptor,
  type Digest,
} from '@airgap-mirror/oci-client/model'
import {createHash} from 'node:crypto'
import {fileBytes} from '../../bytes/file-bytes.js'
import {blobPath} from '../../contents/blob-path.js'
import {DirectoryStore} from '../directory-store.js'
import {MARKER, markLayout} from '../layout-files.js'
import {LayoutSink} from '../layout-sink.js'
import {refused, writeFailed} from '../write-error.js'

const LOCK = 'lock'
const TEMPORARY = /^\..*\.tmp$/
/** The files by which the directory is known, in the order in which they are removed. */
const MARKS: ReadonlySet<string> = new Set([MARKER, LOCK])

/**
 * The directory beside a bundle that collects its blobs. A run that ends too early leaves it, and the next run reuses
 * every complete blob in it.
 */
export class PartialBundle {
  readonly path: string
  readonly store: DirectoryStore
  /** Writes blobs and knows those that exist. */
  readonly sink: LayoutSink
  #isClaimed = false

  private constructor(path: string) {
    this.path = path
    this.store = new DirectoryStore(path)
    this.sink = new LayoutSink(this.store, {annotations: () => undefined})
  }

  /**
   * Opens without creating or changing anything.
   * @throws {MirrorError} USAGE if something else is at the path, WRITE_FAILED
   */
  static async open(path: string): Promise<PartialBundle> {
    try {
      const stats = await lstat(path).catch(ifAbsent)
      if (stats !== undefined) await refuseOther(path, stats.isDirectory())
      return new PartialBundle(path)
    } catch (cause) {
      throw writeFailed(path, cause)
    }
  }

  /**
   * Locks out other runs until `release`, and removes half-written files of a killed run.
   * @throws {MirrorError} STATE_LOCKED, WRITE_FAILED
   */
  async claim(): Promise<void> {
    if (this.#isClaimed) return
    try {
      await makeDirectory(this.path)
      await this.#takeLock()
      this.#isClaimed = true
      // Before anything else: a later run takes the directory for its own by this file.
      await markLayout(this.store)
      for (const name of await readdir(this.path)) {
        if (TEMPORARY.test(name)) await rm(join(this.path, name), {force: true})
      }
    } catch (cause) {
      throw writeFailed(this.path, cause)
    }
  }

  async release(): Promise<void> {
    if (!this.#isClaimed) return
    this.#isClaimed = false
    const names = await readdir(this.path).catch(() => [])
    // A directory without blobs is worth nothing to a later run.
    if (names.every((name) => MARKS.has(name))) await rm(join(this.path, MARKER), {force: true})
    await rm(join(this.path, LOCK), {force: true})
    await rmdir(this.path).catch(() => {})
  }

  async sizeOf(digest: Digest): Promise<number | undefined> {
    return this.store.sizeOf(blobPath({digest}))
  }

  /** Yields the stored bytes, not verified. A chunk is valid until the next is asked for. */
  async *read(blob: Descriptor, {signal}: CallOptions = {}): Bytes {
    const path = join(this.path, blobPath(blob))
    try {
      await using handle = await open(path)
      const {size} = await handle.stat()
      yield* fileBytes(handle, {name: path, size}).stream(0, size, {signal, reuseChunks: true})
    } catch (cause) {
      throw writeFailed(path, cause)
    }
  }

  /**
   * Verifies a blob by its digest and removes it if it is wrong.
   * @throws {MirrorError} DIGEST_MISMATCH
   */
  async prove(blob: Descriptor, options: CallOptions = {}): Promise<void> {
    const algorithm = algorithmOf(blob.digest)
    const hash = createHash(algorithm)
    for await (const chunk of this.read(blob, options)) hash.update(chunk)
    if (digestFrom(hash, algorithm) === blob.digest) return
    await this.discard(blob)
    throw new MirrorError('DIGEST_MISMATCH', `${this.path} held a damaged copy of blob ${blob.digest}`, {
      side: 'target',
      advice: {kind: 'run-again'},
    })
  }

  async sha256Of(blob: Descriptor, options: CallOptions = {}): Promise<string> {
    const hash = createHash('sha256')
    for await (const chunk of this.read(blob, options)) hash.update(chunk)
    return hash.digest('hex')
  }

  async discard(blob: Descriptor): Promise<void> {
    await rm(join(this.path, blobPath(blob)), {force: true})
  }

  /** Creates an empty directory inside this one, for the files of the bundle. */
  async emptyDirectory(name: string): Promise<string> {
    const path = join(this.path, name)
    try {
      await rm(path, {recursive: true, force: true})
      await makeDirectory(path)
      return path
    } catch (cause) {
      throw writeFailed(path, cause)
    }
  }

  async #takeLock(): Promise<void> {
    const path = join(this.path, LOCK)
    for (let attempt = 1; ; attempt += 1) {
      const self = await thisProcess()
      try {
        return await writeFile(path, JSON.stringify(self), {flag: 'wx'})
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
      }
      const holder = parseHolder(parsed(await readFile(path, 'utf8').catch(() => '')))
      // A holder that cannot be seen from here is most often a container that was killed.
      const runs = holder !== undefined && holder.pid !== self.pid && (await fateOf(holder, self)) === 'runs'
      if (attempt > 1 || runs) {
        const who = holder === undefined ? '' : `, of process ${holder.pid} since ${holder.since}`
        throw new MirrorError('STATE_LOCKED', `${path} is held by another run${who}`, {side: 'target'})
      }
      await rm(path, {force: true})
    }
  }

  /** Removes its marks last: the next run after one that is killed meanwhile knows the directory. */
  async remove(): Promise<void> {
    try {
      for (const name of await readdir(this.path)
        .catch(ifAbsent)
        .then((names) => names ?? []))
        if (!MARKS.has(name)) await rm(join(this.path, name), {recursive: true, force: true})
      for (const mark of MARKS) await rm(join(this.path, mark), {force: true})
      await rm(this.path, {recursive: true, force: true})
    } catch (cause) {
      throw writeFailed(this.path, cause)
    }
  }
}

async function refuseOther(path: string, isDirectory: boolean): Promise<void> {
  const names = isDirectory ? await readdir(path) : []
  const isOurs = names.includes(MARKER) || names.every((name) => name === LOCK || TEMPORARY.test(name))
  if (isDirectory && isOurs) return
  throw refused(`${path} is needed for blobs on their way, and is something else`, {
    kind: 'use-another-directory',
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
