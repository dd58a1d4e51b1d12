import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'
import {LazyBytes} from '../bytes/lazy-bytes.js'
import {SNIFF_BYTES, sniffContent} from '../files/sniff.js'
import {tarTree, type TarTree} from '../files/tar-tree.js'
import {indexTar, tarIndex} from '../tar/index-tar.js'
import type {TarRoom} from '../tar/tar-room.js'
import type {BundleMemory} from './bundle-memory.js'

export interface ArchiveTreeOptions extends ReadOptions {
  /** Where it is in the bundle; empty for the bundle itself. */
  readonly path: string
  /** For messages. */
  readonly name: string
  /** The position of its first byte in the whole bundle. */
  readonly base: number
  readonly memory: BundleMemory | undefined
  /** Whether decoding was needed to get there, so that what is found should not be looked for again. */
  readonly isCostly: boolean
  /** Shared by all archives of the bundle. */
  readonly room: TarRoom
  readonly open: () => Promise<ByteSource>
}

export interface ArchiveTree {
  readonly source: ByteSource
  /** Undefined where it is no tar archive. */
  readonly tree: TarTree | undefined
}

/**
 * An archive and what it holds: as it is remembered, then it is opened no sooner than content of it is wanted; else found
 * out, and noted.
 * @throws {MirrorError} as `openBytes` and `indexTar`
 */
export async function openArchiveTree(options: ArchiveTreeOptions): Promise<ArchiveTree> {
  const {path, name, base, memory, room, open, signal} = options
  const known = memory?.archives.get(path)
  if (known !== undefined) {
    const {access, size, tar, heads} = known
    const source = new LazyBytes({name, access, size, open})
    const index = tar === undefined ? undefined : tarIndex(tar.entries, {name, ended: tar.ended})
    return {source, tree: index === undefined ? undefined : tarTree(source, {index, base, heads})}
  }
  const source = await open()
  try {
    const head = await source.read(0, SNIFF_BYTES, {signal})
    const isTar = sniffContent(head) === 'tar' || (path === '' && isEmptyArchive(head))
    const capture = source.access !== 'random' || (memory !== undefined && isCostlySoFar(source, options))
    const index = isTar ? await indexTar(source, {signal, capture, room}) : undefined
    const heads = new Map<string, Uint8Array>()
    if (memory !== undefined) {
      // A source that is read in order would be decoded to its end for a size that nobody needs.
      const size = index === undefined ? 0 : await source.size({signal})
      memory.note(path, {access: source.access, size, tar: index, heads})
    }
    return {source, tree: index === undefined ? undefined : tarTree(source, {index, base, heads})}
  } catch (error) {
    await source[Symbol.asyncDispose]()
    throw error
  }
}

function isCostlySoFar({usage}: ByteSource, {isCostly}: ArchiveTreeOptions): boolean {
  return isCostly || usage.decoded > 0
}

/** An archive without members is nothing but zeros. */
function isEmptyArchive(head: Uint8Array): boolean {
  return head.length === SNIFF_BYTES && head.every((byte) => byte === 0)
}
