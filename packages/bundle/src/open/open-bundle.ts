import {stat} from 'node:fs/promises'
import {basename, resolve} from 'node:path'
import type {Readable} from 'node:stream'
import {
  contentKey,
  digestOf,
  formatReference,
  limits,
  MirrorError,
  type ImageRoot,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import type {ByteSource} from '../bytes/byte-source.js'
import {openBytes, type BytesInput, type OpenBytesOptions} from '../unpack/open-bytes.js'
import type {LayerCompression} from '../compress/compress.js'
import {createLayerCompressor} from '../compress/layer-compressor.js'
import {unreadable} from '../files/disk-file.js'
import {readDirectoryTree} from '../files/directory-tree.js'
import type {FileTree} from '../files/file-tree.js'
import {SNIFF_BYTES} from '../files/sniff.js'
import type {TarTree} from '../files/tar-tree.js'
import {
  ArchiveSource,
  type BundleDescription,
  type BundleSource,
  type OuterEntry,
} from '../contents/archive-source.js'
import {contentTable} from '../contents/content-table.js'
import {noArchive, noImages} from './no-images.js'
import {hasDecoded, readTree, type BundlePart, type Reading} from './read-tree.js'
import {openArchiveTree} from '../remembered/archive-tree.js'
import {recallBundle, type IndexCache} from '../remembered/recall-bundle.js'
import {tarRoom} from '../tar/tar-room.js'
import {findVolumes, type FindVolumesOptions, type VolumeSet} from '../volumes/volume-set.js'

export interface OpenBundleOptions extends FindVolumesOptions {
  /** For plain layers that no registry manifest speaks of. Default gzip. */
  readonly layerCompression?: LayerCompression | undefined
  /** As in `OpenBytesOptions`. */
  readonly scratch?: OpenBytesOptions['scratch']
  /** What the path `-` reads. */
  readonly stdin?: Readable | undefined
  readonly signal?: AbortSignal | undefined
  /** Threads for decompression and for the compression of layers. Default: the processors there are. */
  readonly threads?: number | undefined
  /** Told what a user may want to know: that something is read twice, or left out. */
  readonly onNote?: ((text: string) => void) | undefined
  /** Keeps what was found in compressed bundles, so that reading the same one again decodes nothing but content. */
  readonly indexCache?: IndexCache | undefined
}

/** Entries that `describe` shows. */
const DESCRIBED = 200

/**
 * Opens a bundle of any format: a file, a directory, or `-` for `options.stdin`. The format is told by the content.
 * @throws {MirrorError} SOURCE_UNREADABLE, SOURCE_UNKNOWN, SOURCE_EMPTY, SOURCE_TRUNCATED, SOURCE_CORRUPT,
 * SOURCE_UNSUPPORTED, MANIFEST_INVALID, DIGEST_MISMATCH, BLOB_MISSING, LIMIT_EXCEEDED, SCRATCH_FULL, USAGE, CANCELLED
 */
export async function openBundle(path: string, options: OpenBundleOptions = {}): Promise<BundleSource> {
  const {signal, threads, scratch, layerCompression = 'gzip', onNote = () => {}} = options
  const opened: ByteSource[] = []
  const table = contentTable()
  const compressor = createLayerCompressor(layerCompression, {threads})
  const volumes = await findVolumes(path, options)
  // What is remembered is of one file.
  const recalled = volumes === undefined ? await recallBundle(path, options) : undefined
  const context = {table, signal, compression: layerCompression, layerMediaType: compressor.mediaType}
  const reading: Reading = {
    context,
    bytesOptions: {signal, threads, scratch, onNote},
    opened,
    spent: {decoded: 0, scratchPeak: 0},
    recalled,
    kinds: new Map(),
    onNote,
    extent: 0,
    room: tarRoom(),
    size: 0,
    archives: 0,
    unpacked: 0,
  }
  try {
    const tree = await outerTree(path, {...options, volumes}, reading)
    const hint = path === '-' ? tree.name : basename(resolve(path))
    const parts = await readTree(tree, {path: '', hint, depth: 0}, reading)
    const description = describe(tree, parts, reading)
    const images = distinct(parts.flatMap((part) => part.images))
    if (parts.length === 0) {
      throw noImages(tree.name, {
        entries: description.outerEntries,
        count: tree.entries.length,
        isCutShort: tree.ended === false,
        isLegacy: tree.find('repositories') !== undefined,
      })
    }
    if (images.length === 0) {
      throw new MirrorError('SOURCE_EMPTY', `${tree.name} holds no images: its index is empty`, {
        side: 'source',
        advice: {kind: 'make-again'},
      })
    }
    if (images.length > limits.images) {
      throw new MirrorError(
        'LIMIT_EXCEEDED',
        `${tree.name} names ${images.length} images: over the limit of ${limits.images}`,
        {side: 'source'},
      )
    }
    if (hasDecoded(reading)) await recalled?.save()
    return new ArchiveSource({images, table, description, opened, spent: reading.spent, compressor})
  } catch (error) {
    await compressor.close()
    for (const source of opened.toReversed()) await source[Symbol.asyncDispose]()
    throw error
  }
}

interface InputOptions extends OpenBundleOptions {
  readonly volumes: VolumeSet | undefined
}

async function outerTree(
  path: string,
  options: InputOptions,
  reading: Reading,
): Promise<FileTree & Partial<Pick<TarTree, 'ended'>>> {
  const {signal} = options
  const input = await bundleInput(path, options)
  if ('directory' in input) {
    const tree = await readDirectoryTree(input.directory, {signal})
    reading.size = tree.entries.reduce((sum, {size}) => sum + size, 0)
    return tree
  }
  const {source, tree} = await openArchiveTree({
    path: '',
    name: 'path' in input ? input.path : input.name,
    base: 0,
    memory: reading.recalled?.memory,
    isCostly: false,
    room: reading.room,
    signal,
    open: () => openOuter(input, reading),
  })
  reading.opened.push(source)
  if (tree === undefined) throw noArchive(source.name, await source.read(0, SNIFF_BYTES, {signal}))
  reading.size = input.size ?? (await source.size({signal}))
  reading.extent = tree.extent
  return tree
}

async function openOuter(input: BytesInput, {bytesOptions, recalled}: Reading): Promise<ByteSource> {
  const source = await openBytes(input, bytesOptions)
  if (recalled === undefined || (await recalled.isSame())) return source
  await source[Symbol.asyncDispose]()
  throw new MirrorError('SOURCE_UNREADABLE', `${source.name} was changed while it was read`, {
    side: 'source',
    advice: {kind: 'wait-until-written'},
  })
}

async function bundleInput(
  path: string,
  {stdin, volumes}: InputOptions,
): Promise<(BytesInput & {readonly size?: number}) | {readonly directory: string}> {
  if (volumes !== undefined) return {volumes, name: volumes.name, size: volumes.size}
  if (path === '-') {
    if (stdin === undefined) {
      throw new MirrorError('USAGE', 'there is no standard input to read the bundle from', {side: 'source'})
    }
    return {stream: stdin, name: 'standard input'}
  }
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) return {directory: path}
    return stats.isFile() ? {path, size: stats.size} : {path}
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function describe(
  tree: FileTree,
  parts: readonly BundlePart[],
  {kinds, context}: Reading,
): BundleDescription {
  const [only] = parts
  return {
    format: parts.length === 1 && only?.path === '' ? only.format : 'nested',
    parts: parts.map(({path, format, images}) => ({path, format, images: images.length})),
    outerEntries: tree.entries.slice(0, DESCRIBED).map(({path, kind, size}): OuterEntry => {
      const sniffed = kinds.get(path) ?? 'other'
      return {path, size, kind: kind === 'file' && sniffed !== 'other' ? sniffed : kind}
    }),
    outerEntryCount: tree.entries.length,
    leftOut: [...context.table.leftOut.values()],
  }
}

/** The same image under the same name may lie in several parts. */
function distinct(images: readonly SourceImage[]): readonly SourceImage[] {
  const seen = new Set<string>()
  const rootKeys = new Map<ImageRoot, string>()
  return images.filter(({name, hint, root, subject}) => {
    const what = rootKeys.get(root) ?? rootKey(root)
    rootKeys.set(root, what)
    const key = [name === undefined ? hint : formatReference(name), subject, what].join('\n')
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

function rootKey(root: ImageRoot): string {
  if ('manifest' in root) return root.manifest.digest
  if ('error' in root) return root.error.message
  const {config, layers} = root.pending
  return digestOf(Buffer.from([config.digest, ...layers.map((layer) => contentKey(layer))].join(' ')))
}
