import {isMirrorError, limits, MirrorError, type SourceImage} from '@airgap-mirror/oci-client/model'
import type {ByteSource} from '../bytes/byte-source.js'
import type {OpenBytesOptions} from '../unpack/open-bytes.js'
import type {Usage} from '../bytes/usage.js'
import type {FileTree, TreeFile} from '../files/file-tree.js'
import {SNIFF_BYTES, sniffContent, type ContentKind} from '../files/sniff.js'
import {openArchiveTree} from '../remembered/archive-tree.js'
import type {RecalledBundle} from '../remembered/recall-bundle.js'
import type {TarRoom} from '../tar/tar-room.js'
import {detectFormat, type Format} from '../formats/detect-format.js'
import {findRoots, type Subdirectory} from './find-roots.js'
import type {ReadContext} from '../formats/read-context.js'
import {invalid} from '../contents/read-json.js'

/** A place in the bundle where images were found. */
export interface BundlePart {
  /** The path inside the bundle; empty for the bundle itself. */
  readonly path: string
  readonly format: Format['name']
  readonly images: readonly SourceImage[]
}

/** What is shared while a bundle, with archives inside it, is read. */
export interface Reading {
  readonly context: Omit<ReadContext, 'hint' | 'nested' | 'zarf'>
  readonly bytesOptions: OpenBytesOptions
  /** Archives that stay open as long as the source does. */
  readonly opened: ByteSource[]
  /** What archives have used that did not stay open. */
  readonly spent: Usage
  /** What an earlier run found, and what this one finds. Undefined: nobody keeps it. */
  readonly recalled: RecalledBundle | undefined
  /** What the entries at the top turned out to be, by path. */
  readonly kinds: Map<string, ContentKind>
  readonly onNote: (text: string) => void
  /** Bytes of all archives so far: where the next one starts. */
  extent: number
  readonly room: TarRoom
  /** Bytes of the bundle as it lies there. */
  size: number
  /** Archives inside it that were looked into. */
  archives: number
  /** Plain bytes that came out of those that are compressed. */
  unpacked: number
}

interface Place {
  readonly path: string
  readonly hint: string
  readonly depth: number
}

/**
 * Finds the images of a tree: at its root, in directories below, or in archives inside it, in the order of the archive.
 * @throws {MirrorError} what is wrong with the bundle as a whole; nothing for a tree without images
 */
export async function readTree(
  tree: FileTree,
  place: Place,
  reading: Reading,
): Promise<readonly BundlePart[]> {
  const format = await detectFormat(tree, reading.context)
  if (format?.name === 'unknown-manifest') {
    if (place.depth === 0) refuseNullManifest(tree, format.json)
  } else if (format !== undefined) {
    return [await readPart(format, place, reading)]
  }
  const isZarf = tree.find('zarf.yaml') !== undefined
  const {parts, inside} = await readDirectories(tree, {place, isZarf}, reading)
  // The other archives of a zarf package hold its charts and manifests.
  if (isZarf && parts.length > 0) return parts
  return [...parts, ...(await readNested(tree, {place, inside}, reading))]
}

async function readDirectories(
  tree: FileTree,
  {place, isZarf}: {readonly place: Place; readonly isZarf: boolean},
  reading: Reading,
): Promise<{readonly parts: BundlePart[]; readonly inside: readonly string[]}> {
  const parts: BundlePart[] = []
  const inside: string[] = []
  for (const directory of findRoots(tree)) {
    if (isZarf && directory.path !== 'images') continue
    if (inside.some((prefix) => directory.path.startsWith(prefix))) continue
    const format = await formatOf(directory, reading)
    if (format === undefined) continue
    inside.push(`${directory.path}/`)
    const path = join(place.path, directory.path)
    parts.push(await readPart(format, {...place, path, hint: path, zarf: isZarf}, reading))
  }
  return {parts, inside}
}

// Many things call a file manifest.json; one that cannot be read somewhere below is told and left out.
async function formatOf({tree}: Subdirectory, reading: Reading): Promise<Format | undefined> {
  try {
    const format = await detectFormat(tree, reading.context)
    return format?.name === 'unknown-manifest' ? undefined : format
  } catch (error) {
    if (!isMirrorError(error) || error.code !== 'MANIFEST_INVALID') throw error
    reading.onNote(`${tree.name} is left out: ${error.message}`)
    return undefined
  }
}

async function readPart(
  format: Format,
  place: Place & {readonly zarf?: boolean},
  reading: Reading,
): Promise<BundlePart> {
  return {
    path: place.path,
    format: format.name,
    images: await format.read({
      ...reading.context,
      hint: place.hint,
      nested: place.path !== '',
      zarf: place.zarf,
    }),
  }
}

async function readNested(
  tree: FileTree,
  {place, inside}: {readonly place: Place; readonly inside: readonly string[]},
  reading: Reading,
): Promise<readonly BundlePart[]> {
  const {signal} = reading.context
  const parts: BundlePart[] = []
  const files = tree.entries
    .filter(({path, kind}) => kind === 'file' && !inside.some((prefix) => path.startsWith(prefix)))
    .map(({path}) => ({path, file: tree.find(path)}))
    .filter((found): found is {path: string; file: TreeFile} => found.file !== undefined)
    .sort((left, right) => left.file.position - right.file.position)
  for (const {path, file} of files) {
    const kind = sniffContent(await file.read(0, SNIFF_BYTES, {signal}))
    if (place.depth === 0) reading.kinds.set(path, kind)
    if (kind === 'other') continue
    if (place.depth + 1 >= limits.nestingDepth) {
      reading.onNote(
        `${file.name} is not looked into: archives are nested deeper than ${limits.nestingDepth}`,
      )
      continue
    }
    const inner = join(place.path, path)
    parts.push(...(await readArchive(file, {path: inner, hint: inner, depth: place.depth + 1}, reading)))
  }
  return parts
}

async function readArchive(file: TreeFile, place: Place, reading: Reading): Promise<readonly BundlePart[]> {
  const {signal} = reading.context
  const allowed = Math.max(limits.nestedBytes, limits.nestedRatio * reading.size)
  reading.archives += 1
  if (reading.archives > limits.nestedArchives)
    throw tooMuch(`over ${limits.nestedArchives} archives`, file.name)
  let source: ByteSource | undefined
  let keep = false
  try {
    const archive = await openArchiveTree({
      path: place.path,
      name: file.name,
      base: reading.extent,
      memory: reading.recalled?.memory,
      isCostly: hasDecoded(reading),
      room: reading.room,
      signal,
      open: () =>
        file.openArchive({
          ...reading.bytesOptions,
          beside: reading.opened[0],
          maxPlainBytes: allowed - reading.unpacked,
        }),
    })
    source = archive.source
    if (archive.tree === undefined) return []
    reading.extent += archive.tree.extent
    const parts = await readTree(archive.tree, place, reading)
    keep = parts.length > 0
    return parts
  } catch (error) {
    throw isMirrorError(error) ? naming(error, file.name) : error
  } finally {
    if (source !== undefined) reading.unpacked += source.usage.decoded
    if (source !== undefined && keep) reading.opened.push(source)
    else if (source !== undefined) await letGo(source, reading)
  }
}

/** Whether anything had to be decompressed so far. */
export function hasDecoded({opened, spent}: Reading): boolean {
  return spent.decoded > 0 || opened.some(({usage}) => usage.decoded > 0)
}

async function letGo(source: ByteSource, {spent}: Reading): Promise<void> {
  await source[Symbol.asyncDispose]()
  spent.decoded += source.usage.decoded
  spent.scratchPeak = Math.max(spent.scratchPeak, source.usage.scratchPeak)
}

function tooMuch(what: string, name: string): MirrorError {
  return new MirrorError('LIMIT_EXCEEDED', `the bundle holds ${what}: ${name} is one too many`, {
    side: 'source',
    advice: {kind: 'open-inner-archives'},
  })
}

// Deep inside an outer archive a message without the path does not tell which file is damaged.
function naming(error: MirrorError, name: string): MirrorError {
  return error.code === 'CANCELLED' || error.message.includes(name)
    ? error
    : new MirrorError(error.code, `${name}: ${error.message}`, {
        side: error.side ?? 'source',
        advice: error.advice,
        cause: error.cause,
      })
}

function refuseNullManifest(tree: FileTree, json: unknown): void {
  if (json === null) throw invalid(`${tree.name}: manifest.json`, 'is null instead of a list of images')
}

function join(outer: string, inner: string): string {
  return outer === '' ? inner : `${outer}: ${inner}`
}
