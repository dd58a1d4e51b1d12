import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'
import type {OpenBytesOptions} from '../unpack/open-bytes.js'

/** Content of a known length that can be read again. */
export interface StoredFile {
  /** For messages: the archive and the path inside it. */
  readonly name: string
  readonly size: number
  /** Bytes from the start of the bundle, its parts counted one after another; 0 if reading anywhere costs the same. */
  readonly position: number
  /** Returns up to `length` bytes at `offset`, for small reads. */
  read(offset: number, length: number, options?: ReadOptions): Promise<Uint8Array>
  /** Yields the bytes from `offset` (default 0) to the end. */
  stream(options?: ReadOptions & {readonly offset?: number}): Bytes
  /** As `ByteSource.hold`, for the start of this file. */
  hold(): () => void
  /** As `BlobSource.keep`. Absent if the file can be read again at any time. */
  keep?(): () => void
}

export interface TreeFile extends StoredFile {
  /** Opens the plain bytes of a file that is an archive. The caller disposes them. */
  openArchive(options: OpenBytesOptions): Promise<ByteSource>
}

/** `link` means a symbolic or hard link. Paths are relative and clean, as in `TarEntry`. */
export interface TreeEntry {
  readonly path: string
  readonly kind: 'file' | 'directory' | 'link'
  readonly size: number
}

/** A part of a source that is not used. */
export interface Unused {
  /** The path inside the source; empty for the source itself. */
  readonly path: string
  /** The size of its content in bytes. */
  readonly size: number
  /** A clause with the part as its subject: `it is a device`. */
  readonly reason: string
  /** True if it may have held images, so that the user is warned. */
  readonly isWarning: boolean
}

/** An archive or a directory, with one interface. */
export interface FileTree {
  /** For messages. */
  readonly name: string
  readonly entries: readonly TreeEntry[]
  /** Returns the file at a path, links followed inside the tree; undefined if there is none or a link leads nowhere. */
  find(path: string): TreeFile | undefined
  /** Returns files of this very path that a later member of an archive replaced. */
  replaced?(path: string): readonly TreeFile[]
  /** Returns true if this very path is a link. */
  isLink(path: string): boolean
  /** Returns true if this very path is a link that leads out of the archive or directory. */
  leadsOut(path: string): boolean
}

/** Returns the part of a tree below a directory, with its `entries`. Links may still lead anywhere in the whole tree. */
export function subTree(tree: FileTree, directory: string, entries: readonly TreeEntry[]): FileTree {
  const prefix = `${directory}/`
  return {
    name: `${tree.name}: ${directory}`,
    entries: entries.map((entry) => ({...entry, path: entry.path.slice(prefix.length)})),
    find: (path) => tree.find(prefix + path),
    isLink: (path) => tree.isLink(prefix + path),
    leadsOut: (path) => tree.leadsOut(prefix + path),
  }
}

/** Returns a function that is true for links among the entries. The entries are indexed at the first call. */
export function linksAmong(entries: readonly TreeEntry[]): (path: string) => boolean {
  let known: ReadonlySet<string> | undefined
  return (path) => {
    known ??= new Set(entries.filter(({kind}) => kind === 'link').map((entry) => entry.path))
    return known.has(path)
  }
}

/** Returns the reason why `find` returned undefined, for a message. */
export function whyMissing(tree: FileTree, path: string): string {
  if (tree.leadsOut(path)) return 'is a link that leads out of the bundle'
  return tree.isLink(path) ? 'is a link that leads in a circle or to nothing' : 'is not there'
}
