import type {MirrorError} from '@airgap-mirror/oci-client/model'
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
  /** Undefined if it is no tar archive. */
  readonly tree: TarTree | undefined
  /** Further archives behind the end mark of the first. */
  readonly further: readonly TarTree[]
  /** Bytes behind the end mark that are no archive. */
  readonly strayBytes: number
  /** Why a further archive could not be read. */
  readonly error?: MirrorError | undefined
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
    const indexes = (tar?.archives ?? []).map((archive) => tarIndex(archive, {name}))
    const [tree, ...further] = indexes.map((index) => tarTree(source, {index, base, heads}))
    return {source, tree, further, strayBytes: tar?.strayBytes ?? 0}
  }
  const source = await open()
  try {
    const head = await source.read(0, SNIFF_BYTES, {signal})
    const isTar = sniffContent(head) === 'tar' || (path === '' && isEmptyArchive(head))
    const capture = source.access !== 'random' || (memory !== undefined && isCostlySoFar(source, options))
    const heads = new Map<string, Uint8Array>()
    const index = isTar ? await indexTar(source, {signal, capture, room, heads}) : undefined
    const {archives = [], strayBytes = 0, error} = index?.behind ?? {}
    const indexes = index === undefined ? [] : [index, ...archives]
    if (memory !== undefined && error === undefined) {
      // A source that is read in order would be decoded to its end for a size that nobody needs.
      const size = index === undefined ? 0 : await source.size({signal})
      const tar = index === undefined ? undefined : {archives: indexes, strayBytes}
      memory.note(path, {access: source.access, size, tar, heads})
    }
    const [tree, ...further] = indexes.map((one) => tarTree(source, {index: one, base, heads}))
    return {source, tree, further, strayBytes, error}
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
