import {isMirrorError, limits, MirrorError, type ReadUsage} from '@airgap-mirror/oci-client/model'
import type {ByteSource} from '../bytes/byte-source.js'
import type {TreeFile} from '../files/file-tree.js'
import {openArchiveTree, type ArchiveTree} from '../remembered/archive-tree.js'
import type {RecalledBundle} from '../remembered/recall-bundle.js'
import {tarRoom} from '../tar/tar-room.js'
import type {OpenBytesOptions} from '../unpack/open-bytes.js'

export interface OpenArchivesOptions {
  readonly bytes: OpenBytesOptions
  /** The findings of an earlier run and of this run; undefined if they are not kept. */
  readonly recalled: RecalledBundle | undefined
}

/** An archive inside the bundle. Disposing it closes it unless it was kept. */
export interface InnerArchive extends AsyncDisposable, ArchiveTree {
  /** Leaves it open as long as the bundle. */
  keep(): void
}

/** The archives of one bundle, with their common limits. */
export class OpenArchives implements AsyncDisposable {
  readonly #options: OpenArchivesOptions
  /** Outer archives before inner ones. */
  readonly #open: ByteSource[] = []
  readonly #room = tarRoom()
  /** Usage of archives that did not stay open. */
  #closed: ReadUsage = {decoded: 0, scratchPeak: 0}
  /** Total bytes of all archives so far; the next archive starts there. */
  #extent = 0
  #size = 0
  #count = 0
  /** Plain bytes that came out of compressed archives inside the bundle. */
  #unpacked = 0

  constructor(options: OpenArchivesOptions) {
    this.#options = options
  }

  get bytesOptions(): OpenBytesOptions {
    return this.#options.bytes
  }

  get usage(): ReadUsage {
    let {decoded, scratchPeak} = this.#closed
    for (const {usage} of this.#open) {
      decoded += usage.decoded
      scratchPeak += usage.scratchPeak
    }
    return {decoded, scratchPeak}
  }

  get hasDecoded(): boolean {
    return this.usage.decoded > 0
  }

  /** Returns the access of the archive in which reading out of order costs most. */
  get access(): ByteSource['access'] {
    const found = new Set(this.#open.map(({access}) => access))
    return found.has('in-order') ? 'in-order' : found.has('blocks') ? 'blocks' : 'random'
  }

  /** Sets the size of a bundle that is a directory. */
  setSize(size: number): void {
    this.#size = size
  }

  /** @param size of the file, if it is known @throws {MirrorError} as `openArchiveTree` */
  async openOuter(
    name: string,
    {size, open}: {readonly size: number | undefined; readonly open: () => Promise<ByteSource>},
  ): Promise<ArchiveTree> {
    const {signal} = this.#options.bytes
    const archive = await openArchiveTree({...this.#next(''), name, base: 0, isCostly: false, open})
    this.#open.push(archive.source)
    this.#size = size ?? (archive.tree === undefined ? 0 : await archive.source.size({signal}))
    this.#extent = extentOf(archive)
    return archive
  }

  /** @throws {MirrorError} as `openArchiveTree`, LIMIT_EXCEEDED; messages name the file */
  async openInner(file: TreeFile, path: string): Promise<InnerArchive> {
    this.#count += 1
    if (this.#count > limits.nestedArchives)
      throw tooMuch(`over ${limits.nestedArchives} archives`, file.name)
    const allowed = Math.max(limits.nestedBytes, limits.nestedRatio * this.#size)
    const maxPlainBytes = allowed - this.#unpacked
    const open = (): Promise<ByteSource> =>
      file.openArchive({...this.#options.bytes, beside: this.#open[0], maxPlainBytes})
    const archive = await openArchiveTree({
      ...this.#next(path),
      name: file.name,
      base: this.#extent,
      isCostly: this.hasDecoded,
      open,
    }).catch((error: unknown) => {
      throw isMirrorError(error) ? naming(error, file.name) : error
    })
    this.#open.push(archive.source)
    this.#extent += extentOf(archive)
    let isKept = false
    return {
      ...archive,
      keep: () => {
        isKept = true
      },
      [Symbol.asyncDispose]: async () => {
        this.#unpacked += archive.source.usage.decoded
        if (!isKept) await this.#letGo(archive.source)
      },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Inner archives read from outer ones, so they are closed first.
    for (const source of this.#open.toReversed()) await source[Symbol.asyncDispose]()
  }

  #next(path: string) {
    const {bytes, recalled} = this.#options
    return {path, memory: recalled?.memory, room: this.#room, signal: bytes.signal}
  }

  async #letGo(source: ByteSource): Promise<void> {
    this.#open.splice(this.#open.indexOf(source), 1)
    await source[Symbol.asyncDispose]()
    const {decoded, scratchPeak} = source.usage
    this.#closed = {
      decoded: this.#closed.decoded + decoded,
      scratchPeak: Math.max(this.#closed.scratchPeak, scratchPeak),
    }
  }
}

function extentOf({tree, further}: ArchiveTree): number {
  return Math.max(0, ...[tree, ...further].map((one) => one?.extent ?? 0))
}

function tooMuch(what: string, name: string): MirrorError {
  return new MirrorError('LIMIT_EXCEEDED', `the bundle holds ${what}: ${name} is one too many`, {
    side: 'source',
    advice: {kind: 'open-inner-archives'},
  })
}

// Without the path, a message would not tell which file deep inside an outer archive is damaged.
function naming(error: MirrorError, name: string): MirrorError {
  if (error.code === 'CANCELLED' || error.message.includes(name)) return error
  const {side = 'source', advice, cause} = error
  return new MirrorError(error.code, `${name}: ${error.message}`, {side, advice, cause})
}
