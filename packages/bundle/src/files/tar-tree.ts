import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'
import {openNested} from '../bytes/open-bytes.js'
import {indexTar} from '../tar/index-tar.js'
import type {TarEntry} from '../tar/tar-entry.js'
import type {TarRoom} from '../tar/tar-room.js'
import type {FileTree, TreeEntry, TreeFile} from './file-tree.js'
import {memoryFile} from './memory-file.js'

export interface TarTree extends FileTree {
  /** Where the last content ends, in bytes from the start of the archive. */
  readonly extent: number
  /** As `TarIndex.ended`. */
  readonly ended: boolean
}

/**
 * A tar archive as a tree.
 * @param options.base the position of the archive's first byte in the whole bundle
 * @param options.room shared by all archives of the bundle
 * @throws {MirrorError} as `indexTar`
 */
export const readTarTree = async (
  source: ByteSource,
  options: ReadOptions & {readonly base: number; readonly room: TarRoom},
): Promise<TarTree> => {
  const index = await indexTar(source, options)
  const find = (path: string): TreeFile | undefined => {
    const entry = index.find(path)
    return entry?.type === 'file' ? tarFile(source, {entry, base: options.base}) : undefined
  }
  return {
    name: source.name,
    entries: index.entries.map(treeEntry),
    find,
    ended: index.ended,
    extent: index.entries.reduce((end, {offset, size}) => Math.max(end, offset + size), 0),
  }
}

const treeEntry = ({path, type, size}: TarEntry): TreeEntry => ({
  path,
  kind: type === 'symlink' || type === 'hardlink' ? 'link' : type,
  size,
})

const tarFile = (
  source: ByteSource,
  {entry, base}: {readonly entry: TarEntry; readonly base: number},
): TreeFile => {
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
    read: (offset, length, options) =>
      source.read(start + offset, Math.max(0, Math.min(length, size - offset)), options),
    stream: ({offset = 0, signal} = {}) =>
      source.stream(start + offset, Math.max(0, size - offset), {signal}),
    hold: () => source.hold(start),
  }
}
