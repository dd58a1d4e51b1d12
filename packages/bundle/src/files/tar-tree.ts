import type {ByteSource} from '../bytes/byte-source.js'
import {openNested} from '../unpack/open-bytes.js'
import type {TarIndex} from '../tar/index-tar.js'
import type {TarEntry} from '../tar/tar-entry.js'
import type {FileTree, TreeEntry, TreeFile} from './file-tree.js'
import {memoryFile} from './memory-file.js'
import {SNIFF_BYTES} from './sniff.js'

export interface TarTree extends FileTree {
  /** Where the last content ends, in bytes from the start of the archive. */
  readonly extent: number
  /** As `TarIndex.ended`. */
  readonly ended: boolean
}

export interface TarTreeOptions {
  readonly index: TarIndex
  /** The position of the archive's first byte in the whole bundle. */
  readonly base: number
  /** The first `SNIFF_BYTES` of files that were looked into, by path; what is looked into from now on is added. */
  readonly heads: Map<string, Uint8Array>
}

/** A tar archive as a tree. */
export function tarTree(source: ByteSource, options: TarTreeOptions): TarTree {
  const {index} = options
  const find = (path: string): TreeFile | undefined => {
    const entry = index.find(path)
    return entry?.type === 'file' ? tarFile(source, entry, options) : undefined
  }
  return {
    name: source.name,
    entries: index.entries.map(treeEntry),
    find,
    ended: index.ended,
    extent: index.entries.reduce((end, {offset, size}) => Math.max(end, offset + size), 0),
  }
}

function treeEntry({path, type, size}: TarEntry): TreeEntry {
  return {
    path,
    kind: type === 'symlink' || type === 'hardlink' ? 'link' : type,
    size,
  }
}

function tarFile(source: ByteSource, entry: TarEntry, {base, heads}: TarTreeOptions): TreeFile {
  const {offset: start, size, captured, path} = entry
  const name = `${source.name}: ${path}`
  const location = {
    name,
    size,
    position: base + start,
    openArchive: (options: Parameters<TreeFile['openArchive']>[0]) =>
      openNested(source, {offset: start, length: size, name}, options),
  }
  if (captured !== undefined) return {...memoryFile(captured, name), ...location}
  return {
    ...location,
    read: async (offset, length, options) => {
      const isHead = offset === 0 && length === SNIFF_BYTES
      const known = isHead ? heads.get(path) : undefined
      if (known !== undefined) return known
      const bytes = await source.read(start + offset, Math.max(0, Math.min(length, size - offset)), options)
      if (isHead) heads.set(path, bytes)
      return bytes
    },
    stream: ({offset = 0, ...options} = {}) =>
      source.stream(start + offset, Math.max(0, size - offset), options),
    hold: () => source.hold(start),
  }
}
