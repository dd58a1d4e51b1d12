import type {MirrorError} from '@airgap-mirror/oci-client/model'
import type {ByteSource, ReadOptions} from '../bytes/byte-source.js'
import type {Packing} from '../bytes/packing.js'
import {LazyBytes} from '../bytes/lazy-bytes.js'
import {SNIFF_BYTES, sniffContent} from '../files/sniff.js'
import {tarTree, type TarTree} from '../files/tar-tree.js'
import {indexTar, tarIndex} from '../tar/index-tar.js'
import type {TarRoom} from '../tar/tar-room.js'
import type {BundleMemory} from './bundle-memory.js'

export interface ArchiveTreeOptions extends ReadOptions {
  /** The path inside the bundle; empty for the bundle itself. */
  readonly path: string
  /** For messages. */
  readonly name: string
  /** The position of its first byte in the whole bundle. */
  readonly base: number
  readonly memory: BundleMemory | undefined
  /** True if decoding was needed to reach it, so that findings are worth remembering. */
  readonly isCostly: boolean
  /** Shared by all archives of the bundle. */
  readonly room: TarRoom
  readonly open: () => Promise<ByteSource>
}

export interface ArchiveTree {
  readonly source: ByteSource
  /** Plain bytes; 0 if it is not a tar archive. */
  readonly size: number
  readonly packing: Packing | undefined
  /** Undefined if it is not a tar archive. */
  readonly tree: TarTree | undefined
  /** Further archives behind the end mark of the first. */
  readonly further: readonly TarTree[]
  /** Bytes behind the end mark that are not an archive. */
  readonly strayBytes: number
  /** The error of a further archive. */
  readonly error?: MirrorError
}

/**
 * Returns an archive and its content. A remembered archive is opened only when content is read; any other is indexed now
 * and remembered.
 * @throws {MirrorError} as `openBytes` and `indexTar`
 */
export async function openArchiveTree(options: ArchiveTreeOptions): Promise<ArchiveTree> {
  const {path, name, base, memory, room, open, signal} = options
  const known = memory?.archives.get(path)
  if (known !== undefined) {
    const {access, size, packing, tar, heads} = known
    const source = new LazyBytes({name, access, size, open})
    const indexes = (tar?.archives ?? []).map((archive) => tarIndex(archive, {name}))
    const [tree, ...further] = indexes.map((index) => tarTree(source, {index, base, heads}))
    return {source, size, packing, tree, further, strayBytes: tar?.strayBytes ?? 0}
  }
  const source = await open()
  try {
    const head = await source.read(0, SNIFF_BYTES, {signal})
    const isTar = sniffContent(head) === 'tar' || (path === '' && isEmptyArchive(head))
    const capture = source.access !== 'random' || (memory !== undefined && isCostlySoFar(source, options))
    const heads = new Map<string, Uint8Array>()
    const index = isTar ? await indexTar(source, {signal, capture, room, head, heads}) : undefined
    const {archives = [], strayBytes = 0, error} = index?.behind ?? {}
    const indexes = index === undefined ? [] : [index, ...archives]
    // An in-order source would be decoded to its end for a size that is not used.
    const size = index === undefined ? 0 : await source.size({signal})
    const {packing} = source
    if (memory !== undefined && error === undefined) {
      const tar = index === undefined ? undefined : {archives: indexes, strayBytes}
      memory.note(path, {access: accessOnce(source), size, packing, tar, heads})
    }
    const [tree, ...further] = indexes.map((one) => tarTree(source, {index: one, base, heads}))
    return {source, size, packing, tree, further, strayBytes, error}
  } catch (error) {
    await source[Symbol.asyncDispose]()
    throw error
  }
}

/** Returns the access for a reader that reads once: only for others are frames of zstd opened one by one, or kept. */
function accessOnce({access, packing}: ByteSource): ByteSource['access'] {
  return packing?.codec === 'zstd' ? 'in-order' : access
}

function isCostlySoFar({usage}: ByteSource, {isCostly}: ArchiveTreeOptions): boolean {
  return isCostly || usage.decoded > 0
}

/** Returns true if the head is all zeros, as in an archive without members. */
function isEmptyArchive(head: Uint8Array): boolean {
  return head.length === SNIFF_BYTES && head.every((byte) => byte === 0)
}
