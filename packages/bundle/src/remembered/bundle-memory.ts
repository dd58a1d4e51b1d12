import type {ByteSource} from '../bytes/byte-source.js'
import type {Packing} from '../bytes/packing.js'
import type {TarIndex} from '../tar/index-tar.js'

/** A tar archive and the archives behind its end mark. */
export interface RememberedTar {
  readonly archives: readonly Omit<TarIndex, 'find'>[]
  readonly strayBytes: number
}

/** Findings about one archive, outer or inner, that took decoding. */
export interface ArchiveMemory {
  readonly access: ByteSource['access']
  readonly size: number
  readonly packing: Packing | undefined
  /** Undefined if it is not a tar archive. Small JSON contents are captured in its entries. */
  readonly tar: RememberedTar | undefined
  /** The first bytes of sniffed files, under the keys of `tarTree`. */
  readonly heads: Map<string, Uint8Array>
}

/**
 * Findings about a bundle, so that reading it again needs no decoding. Keyed by the paths of its archives, '' for the
 * bundle.
 */
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

  /** Returns true if this run added findings. */
  get hasGrown(): boolean {
    return this.#archives.size > this.#recalled
  }

  note(path: string, archive: ArchiveMemory): void {
    this.#archives.set(path, archive)
  }
}
