import type {ByteSource} from '../bytes/byte-source.js'
import type {TarIndex} from '../tar/index-tar.js'

/** A tar archive and those behind its end mark. */
export interface RememberedTar {
  readonly archives: readonly Omit<TarIndex, 'find'>[]
  readonly strayBytes: number
}

/** What was found out about one archive, outer or inner, by decoding it. */
export interface ArchiveMemory {
  readonly access: ByteSource['access']
  readonly size: number
  /** Undefined where it is no tar archive. Small JSON contents are captured in its entries. */
  readonly tar: RememberedTar | undefined
  /** The first bytes of files that were looked into, under the keys of `tarTree`. */
  readonly heads: Map<string, Uint8Array>
}

/** What a bundle was found to be, so that reading it again costs no decoding. By the paths of its archives, '' for itself. */
export class BundleMemory {
  readonly #archives: Map<string, ArchiveMemory>
  readonly #recalled: number

  constructor(archives: ReadonlyMap<string, ArchiveMemory> = new Map()) {
    this.#archives = new Map(archives)
    this.#recalled = archives.size
  }

  get archives(): ReadonlyMap<string, ArchiveMemory> {
    return this.#archives
  }

  /** Whether anything was found out anew. */
  get hasGrown(): boolean {
    return this.#archives.size > this.#recalled
  }

  note(path: string, archive: ArchiveMemory): void {
    this.#archives.set(path, archive)
  }
}
