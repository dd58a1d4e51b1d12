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
import {describe, type StoredAs} from './describe.js'
import {noArchive, noImages} from './no-images.js'
import {OpenArchives} from './open-archives.js'
import {openPassing, type OtherStream, type PassingBundle} from './open-passing.js'
import {readArchive, readTree} from './read-tree.js'
import type {BundlePart, Findings, Reading} from './reading.js'
import type {ByteSource} from '../bytes/byte-source.js'
import type {LayerCompression} from '../compress/compress.js'
import {createLayerCompressor} from '../compress/layer-compressor.js'
import {ArchiveSource, type BundleDescription, type BundleSource} from '../contents/archive-source.js'
import {contentTable} from '../contents/content-table.js'
import {unreadable} from '../files/disk-file.js'
import {readDirectoryTree} from '../files/directory-tree.js'
import type {FileTree, Unused} from '../files/file-tree.js'
import {SNIFF_BYTES} from '../files/sniff.js'
import {recallBundle, type IndexCache, type RecalledBundle} from '../remembered/recall-bundle.js'
import type {PassingBlobs} from '../passing/passing-blobs.js'
import {unusedBlobs} from './unused-blobs.js'
import {findVolumes, type FindVolumesOptions, type VolumeSet} from '../volumes/volume-set.js'
import {openBytes, type BytesInput, type OpenBytesOptions} from '../unpack/open-bytes.js'

/** Options of `openBundle`. None is required. */
export interface OpenBundleOptions extends FindVolumesOptions {
  /** The compression of plain layers without a registry manifest. Default: gzip. */
  readonly layerCompression?: LayerCompression
  /** As in `OpenBytesOptions`. */
  readonly scratch?: OpenBytesOptions['scratch']
  /** As in `OpenBytesOptions`. */
  readonly readOften?: OpenBytesOptions['readOften']
  /** The stream that is read for the path `-`. */
  readonly stdin?: Readable
  /** True: a stream with its manifests before its blobs is read in one pass, and never kept in scratch. */
  readonly onePass?: boolean
  readonly signal?: AbortSignal
  /** Threads for decompression and for the compression of layers. Default: the number of processors. */
  readonly threads?: number
  /** False if no content is read afterwards. Default true. */
  readonly contentFollows?: boolean
  /** False: a bundle in which no image can be read is opened, too. Default true. */
  readonly requireImages?: boolean
  /** Gets notes for the user, for example that a source is read twice. */
  readonly onNote?: (text: string) => void
  /** Gets warnings about left-out parts that may have held images. Default: `onNote`. */
  readonly onWarning?: (text: string) => void
  /** As in `OpenBytesOptions`. */
  readonly onReading?: OpenBytesOptions['onReading']
  /** Keeps the index of compressed bundles, so that reading the same bundle again decodes only content. */
  readonly indexCache?: IndexCache
}

/** The most warnings about left-out parts; the rest are only counted. */
const WARNED = 20

/**
 * Opens a bundle of any format: a file, a directory, or `-` for `options.stdin`. The format is detected from the content. A
 * part that cannot be read becomes an image with an error.
 * @throws {MirrorError} SOURCE_UNREADABLE, SOURCE_UNKNOWN, SOURCE_EMPTY, SOURCE_TRUNCATED, SOURCE_CORRUPT,
 * SOURCE_UNSUPPORTED, MANIFEST_INVALID, DIGEST_MISMATCH, BLOB_MISSING, LIMIT_EXCEEDED, SCRATCH_FULL, USAGE, CANCELLED
 */
export async function openBundle(path: string, options: OpenBundleOptions = {}): Promise<BundleSource> {
  const {signal, threads, scratch, readOften, contentFollows, layerCompression = 'gzip', onReading} = options
  const {requireImages = true, onNote = () => {}, onWarning = onNote} = options
  const table = contentTable()
  const compressor = createLayerCompressor(layerCompression, {threads})
  const volumes = await findVolumes(path, options)
  // Only the index of a single file is remembered.
  const recalled = volumes === undefined ? await recallBundle(path, options) : undefined
  const bytes = {signal, threads, scratch, readOften, contentFollows, onNote, onReading}
  const archives = new OpenArchives({bytes, recalled})
  const findings: Findings = {kinds: new Map(), unused: [], stores: [], warn: onWarning}
  const context = {table, signal, compression: layerCompression, layerMediaType: compressor.mediaType}
  const reading: Reading = {context, archives, findings}
  let passing: PassingBlobs | undefined
  try {
    const begun = await beginStream(path, options)
    passing = begun !== undefined && 'blobs' in begun ? begun.blobs : undefined
    const outer =
      begun !== undefined && 'blobs' in begun
        ? await readPassing(begun, reading)
        : await readOuter(path, {options: {...options, volumes, begun}, reading, recalled})
    const description = describe(outer, {findings, table})
    const images = toldApart(distinct(outer.parts.flatMap((part) => part.images)))
    findings.unused.push(...(await unusedBlobs(findings.stores, {images, table, signal})))
    warnOfUnused(findings.unused, onWarning)
    refuseTooMany(outer.tree, images)
    const refusal = refusalOf(outer, {images, outerEntries: description.outerEntries})
    if (refusal !== undefined && requireImages) throw refusal
    if (archives.hasDecoded) await recalled?.save()
    return new ArchiveSource({
      images,
      table,
      description: {...description, refusal},
      unused: findings.unused,
      archives: passing ?? archives,
      compressor,
    })
  } catch (error) {
    await compressor.close()
    await passing?.[Symbol.asyncDispose]()
    await archives[Symbol.asyncDispose]()
    throw error
  }
}

interface InputOptions extends OpenBundleOptions {
  readonly volumes: VolumeSet | undefined
  /** A stream whose beginning was looked at. */
  readonly begun: OtherStream | undefined
}

async function beginStream(
  path: string,
  {stdin, onePass = false, signal, onReading}: OpenBundleOptions,
): Promise<PassingBundle | OtherStream | undefined> {
  if (path !== '-' || stdin === undefined || !onePass) return undefined
  return openPassing(stdin, {name: STANDARD_INPUT, signal, onReading})
}

async function readPassing({tree, packing}: PassingBundle, reading: Reading): Promise<Outer> {
  const parts = await readTree(tree, {path: '', depth: 0, shownAs: STANDARD_INPUT}, reading)
  const plainSize = tree.entries.reduce((sum, {size}) => sum + size, 0)
  const storedAs: StoredAs = {kind: 'stream', size: undefined, plainSize, volumes: [], packing}
  return {tree, parts, isCutShort: false, storedAs}
}

const STANDARD_INPUT = 'standard input'

interface Outer {
  readonly tree: FileTree
  readonly parts: readonly BundlePart[]
  /** True if the archive has no end mark. */
  readonly isCutShort: boolean
  readonly storedAs: StoredAs
}

async function readOuter(
  path: string,
  {
    options,
    reading,
    recalled,
  }: {options: InputOptions; reading: Reading; recalled: RecalledBundle | undefined},
): Promise<Outer> {
  const {signal} = options
  const {archives, findings} = reading
  const input = await bundleInput(path, options)
  const place = {path: '', depth: 0}
  if ('directory' in input) {
    const tree = await readDirectoryTree(input.directory, {signal})
    const size = tree.entries.reduce((sum, entry) => sum + entry.size, 0)
    archives.setSize(size)
    findings.unused.push(...tree.unused)
    const shownAs = basename(resolve(path))
    return {
      tree,
      parts: await readTree(tree, {...place, shownAs}, reading),
      isCutShort: false,
      storedAs: {kind: 'directory', size, plainSize: size, volumes: [], packing: undefined},
    }
  }
  const name = 'path' in input ? input.path : input.name
  const open = async (): Promise<ByteSource> => {
    const source = await openBytes(input, archives.bytesOptions)
    if (recalled === undefined || (await recalled.isSame())) return source
    await source[Symbol.asyncDispose]()
    throw new MirrorError('SOURCE_UNREADABLE', `${source.name} was changed while it was read`, {
      side: 'source',
      advice: {kind: 'wait-until-written'},
    })
  }
  const archive = await archives.openOuter(name, {size: input.size, open})
  const {tree, source} = archive
  if (tree === undefined) throw noArchive(source.name, await source.read(0, SNIFF_BYTES, {signal}))
  const shownAs = path === '-' ? tree.name : basename(resolve(path))
  const parts = await readArchive({...archive, tree}, {...place, shownAs}, reading)
  const {size: plainSize, packing} = archive
  const kind = 'volumes' in input ? 'volumes' : input.size === undefined ? 'stream' : 'file'
  const volumes = ('volumes' in input ? input.volumes.volumes : []).map(volumeOf)
  const storedAs: StoredAs = {kind, size: input.size, plainSize, volumes, packing}
  return {tree, parts, isCutShort: !tree.ended, storedAs}
}

function volumeOf({path, size}: VolumeSet['volumes'][number]): StoredAs['volumes'][number] {
  return {name: basename(path), size}
}

/** Returns the reason why nothing can be done with the bundle; undefined if it has images. */
function refusalOf(
  {tree, parts, isCutShort}: Outer,
  {images, outerEntries}: {readonly images: readonly SourceImage[]} & Pick<BundleDescription, 'outerEntries'>,
): MirrorError | undefined {
  if (parts.length === 0) {
    return noImages(tree.name, {
      entries: outerEntries,
      count: tree.entries.length,
      isCutShort,
      isLegacy: tree.find('repositories') !== undefined,
    })
  }
  const [first] = images
  if (first !== undefined && 'error' in first.root && images.every(({root}) => 'error' in root))
    return first.root.error
  if (images.length > 0) return undefined
  return new MirrorError('SOURCE_EMPTY', `${tree.name} holds no images: its index is empty`, {
    side: 'source',
    advice: {kind: 'make-again'},
  })
}

function refuseTooMany(tree: FileTree, images: readonly SourceImage[]): void {
  if (images.length <= limits.images) return
  throw new MirrorError(
    'LIMIT_EXCEEDED',
    `${tree.name} names ${images.length} images: over the limit of ${limits.images}`,
    {side: 'source'},
  )
}

function warnOfUnused(unused: readonly Unused[], warn: (text: string) => void): void {
  const warned = unused.filter(({isWarning}) => isWarning)
  for (const {path, reason} of warned.slice(0, WARNED)) {
    warn(path === '' ? reason : `${path} is left out: ${reason}`)
  }
  if (warned.length > WARNED) warn(`${warned.length - WARNED} more parts of the source are left out`)
}

async function bundleInput(
  path: string,
  {stdin, volumes, begun}: InputOptions,
): Promise<(BytesInput & {readonly size?: number}) | {readonly directory: string}> {
  if (begun !== undefined) return {...begun, name: STANDARD_INPUT}
  if (volumes !== undefined) return {volumes, name: volumes.name, size: volumes.size}
  if (path === '-') {
    if (stdin === undefined) {
      throw new MirrorError('USAGE', 'there is no standard input to read the bundle from', {side: 'source'})
    }
    return {stream: stdin, name: STANDARD_INPUT}
  }
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) return {directory: path}
    return stats.isFile() ? {path, size: stats.size} : {path}
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

/** Drops duplicates: the same image under the same name may be in several parts. */
function distinct(images: readonly SourceImage[]): readonly SourceImage[] {
  const seen = new Set<string>()
  const rootKeys = new Map<ImageRoot, string>()
  return images.filter(({name, shownAs, root, subject}) => {
    const what = rootKeys.get(root) ?? rootKey(root)
    rootKeys.set(root, what)
    const key = [name === undefined ? shownAs : formatReference(name), subject, what].join('\n')
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** Adds the digest to the text that stands for several images without names. */
function toldApart(images: readonly SourceImage[]): readonly SourceImage[] {
  const times = new Map<string, number>()
  for (const {name, shownAs, subject} of images) {
    if (name === undefined && subject === undefined && shownAs !== undefined)
      times.set(shownAs, (times.get(shownAs) ?? 0) + 1)
  }
  return images.map((image) => {
    const {name, shownAs = '', root, subject} = image
    const isShared = name === undefined && subject === undefined && (times.get(shownAs) ?? 0) > 1
    return isShared && 'manifest' in root ? {...image, shownAs: `${shownAs}@${root.manifest.digest}`} : image
  })
}

function rootKey(root: ImageRoot): string {
  if ('manifest' in root) return root.manifest.digest
  if ('error' in root) return root.error.message
  const {config, layers} = root.pending
  return digestOf(Buffer.from([config.digest, ...layers.map((layer) => contentKey(layer))].join(' ')))
}
