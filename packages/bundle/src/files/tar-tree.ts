import type {ByteSource} from '../bytes/byte-source.js'
import {openNested} from '../unpack/open-bytes.js'
import {headKey, type TarIndex} from '../tar/index-tar.js'
import {sparseBytes} from '../bytes/sparse-bytes.js'
import {endOf, type TarEntry} from '../tar/tar-entry.js'
import {linkTarget} from '../tar/find-entry.js'
import {linksAmong, type FileTree, type Unused, type TreeEntry, type TreeFile} from './file-tree.js'
import {memoryFile} from './memory-file.js'
import {SNIFF_BYTES} from './sniff.js'

export interface TarTree extends FileTree {
  /** The end of the last content, in bytes from the start of the archive. */
  readonly extent: number
  /** As `TarIndex.ended`. */
  readonly ended: boolean
  readonly unused: readonly Unused[]
  /** The same tree with each earlier list of images, which a later member of the same name replaced. */
  readonly earlier: readonly FileTree[]
}

export interface TarTreeOptions {
  readonly index: TarIndex
  /** The position of the archive's first byte in the whole bundle. */
  readonly base: number
  /** The first `SNIFF_BYTES` of files that were sniffed, by offset and path; later ones are added. */
  readonly heads: Map<string, Uint8Array>
}

/** Returns a tar archive as a tree. */
export function tarTree(source: ByteSource, options: TarTreeOptions): TarTree {
  const {index} = options
  const file = (entry: TarEntry | undefined): TreeFile | undefined =>
    entry?.type === 'file' ? tarFile(source, entry, options) : undefined
  const entries = index.entries.map(treeEntry)
  const leadingOut = new Set(index.entries.filter(isLinkOut).map(({path}) => path))
  const tree = {
    name: source.name,
    entries,
    find: (path: string) => file(index.find(path)),
    replaced: (path: string) =>
      index.earlier.filter((entry) => entry.path === path).flatMap((entry) => file(entry) ?? []),
    isLink: linksAmong(entries),
    leadsOut: (path: string) => leadingOut.has(path),
  }
  return {
    ...tree,
    ended: index.ended,
    extent: index.entries.reduce((end, entry) => Math.max(end, endOf(entry)), 0),
    unused: [
      ...index.skipped.map((member) => ({...member, isWarning: false})),
      ...[...leadingOut].map((path) => ({
        path,
        size: 0,
        reason: 'it is a link that leads out of the archive',
        isWarning: false,
      })),
    ],
    earlier: generations(index.earlier).map((lists) =>
      withLists(tree, (path) => (lists.has(path) ? file(lists.get(path)) : tree.find(path))),
    ),
  }
}

function withLists(tree: FileTree, find: FileTree['find']): FileTree {
  return {...tree, find}
}

/** Returns the lists that stood in an archive together: the first of each name, the second of each name, and so on. */
function generations(earlier: readonly TarEntry[]): readonly ReadonlyMap<string, TarEntry>[] {
  const found: Map<string, TarEntry>[] = []
  for (const entry of earlier) {
    const at = found.find((lists) => !lists.has(entry.path)) ?? found[found.push(new Map()) - 1]
    at?.set(entry.path, entry)
  }
  return found
}

function isLinkOut(entry: TarEntry): boolean {
  return entry.linkPath !== undefined && linkTarget(entry) === undefined
}

function treeEntry({path, type, size}: TarEntry): TreeEntry {
  return {
    path,
    kind: type === 'symlink' || type === 'hardlink' ? 'link' : type,
    size,
  }
}

function tarFile(source: ByteSource, entry: TarEntry, {base, heads}: TarTreeOptions): TreeFile {
  const {offset: start, size, captured, path, segments} = entry
  const name = `${source.name}: ${path}`
  const content = segments === undefined ? undefined : sparseBytes(source, {name, size, parts: segments})
  const location = {
    name,
    size,
    position: base + start,
    openArchive: (options: Parameters<TreeFile['openArchive']>[0]) =>
      openNested(source, {offset: start, length: size, name, parts: segments}, options),
  }
  if (captured !== undefined) return {...memoryFile(captured, name), ...location}
  const bytes = content ?? source
  const from = content === undefined ? start : 0
  return {
    ...location,
    read: async (offset, length, options) => {
      const isHead = offset === 0 && length === SNIFF_BYTES
      const known = isHead ? heads.get(headKey(entry)) : undefined
      if (known !== undefined) return known
      const read = await bytes.read(from + offset, Math.max(0, Math.min(length, size - offset)), options)
      if (isHead) heads.set(headKey(entry), read)
      return read
    },
    stream: ({offset = 0, ...options} = {}) =>
      bytes.stream(from + offset, Math.max(0, size - offset), options),
    hold: () => bytes.hold(from),
  }
}
