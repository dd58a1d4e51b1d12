import {
  isMirrorError,
  limits,
  readAll,
  type MirrorError,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {isRead, notRead} from '../codecs/sniff.js'
import type {FileTree, Unused, TreeEntry, TreeFile} from '../files/file-tree.js'
import {SNIFF_BYTES, sniffContent, type ContentKind} from '../files/sniff.js'
import {detectFormat} from '../formats/detect-format.js'
import type {Producer} from '../formats/producer.js'
import {treeRoot, type Format, type TreeRoot} from '../formats/format.js'
import type {ReadContext} from '../formats/read-context.js'
import {invalid} from '../contents/read-json.js'
import type {TarTree} from '../files/tar-tree.js'
import type {ArchiveTree} from '../remembered/archive-tree.js'
import {findRoots} from './find-roots.js'
import type {OpenArchives} from './open-archives.js'

/** A place in the bundle that holds images or could not be read. */
export interface BundlePart {
  /** The path inside the bundle; empty for the bundle itself. */
  readonly path: string
  /** The format of its images; `unreadable` if it could not be read. */
  readonly format: string
  /** The tool that wrote it; undefined if several may have. */
  readonly producer?: Producer | undefined
  readonly images: readonly SourceImage[]
}

/** Shared while a bundle and the archives inside it are read. */
export interface Reading {
  readonly context: Omit<ReadContext, 'hint' | 'nested' | 'zarf'>
  readonly archives: OpenArchives
  readonly findings: Findings
}

/** Findings in a bundle besides its images. */
export interface Findings {
  /** Kinds of sniffed entries at the top, by path. */
  readonly kinds: Map<string, ContentKind>
  readonly unused: Unused[]
  readonly warn: (text: string) => void
}

interface Place {
  readonly path: string
  readonly hint: string
  readonly depth: number
}

/**
 * Returns the images of an archive and of the archives behind its end mark. An unreadable archive becomes a part with an
 * image that holds the error.
 * @throws {MirrorError} LIMIT_EXCEEDED, CANCELLED; for the bundle itself, any error that concerns it as a whole
 */
export async function readArchive(
  archive: ArchiveTree & {readonly tree: TarTree},
  place: Place,
  reading: Reading,
): Promise<readonly BundlePart[]> {
  const parts = [...(await readTarTree(archive.tree, place, reading))]
  for (const [index, tree] of archive.further.entries()) {
    const path = join(place.path, `archive ${index + 2}`)
    parts.push(...(await unlessBroken(path, () => readTarTree(tree, {...place, path, hint: path}, reading))))
  }
  const {strayBytes, error} = archive
  if (strayBytes > 0) {
    reading.findings.unused.push({
      path: place.path,
      size: strayBytes,
      reason: `${strayBytes} bytes lie behind its end and are no archive`,
      isWarning: true,
    })
  }
  if (error !== undefined)
    parts.push(brokenPart(join(place.path, `archive ${archive.further.length + 2}`), error))
  return parts
}

/** Reads a tar archive, with the images of lists replaced by later ones of the same name, as `tar -A` leaves them. */
async function readTarTree(tree: TarTree, place: Place, reading: Reading): Promise<readonly BundlePart[]> {
  note(reading, place, tree.unused)
  const parts = [...(await readTree(tree, place, reading))]
  for (const [index, earlier] of tree.earlier.entries()) {
    if (await hasSameLists(tree, earlier)) continue
    reading.findings.warn(`${tree.name} has several lists of images: those of every list are read`)
    const path = join(place.path, `list ${index + 1}`)
    parts.push(...(await unlessBroken(path, () => readTree(earlier, {...place, path}, reading))))
  }
  return parts
}

async function hasSameLists(tree: FileTree, earlier: FileTree): Promise<boolean> {
  for (const path of ['manifest.json', 'index.json']) {
    const [left, right] = [tree.find(path), earlier.find(path)]
    if (left === undefined || right === undefined || left.position === right.position) continue
    if (left.size !== right.size || left.size > limits.bundleIndexBytes) return false
    const options = {limit: limits.bundleIndexBytes, what: left.name}
    const [one, other] = [await readAll(left.stream(), options), await readAll(right.stream(), options)]
    if (Buffer.compare(one, other) !== 0) return false
  }
  return true
}

/**
 * Returns the images of a tree: at its root, in directories below, and in archives inside it, in the archive's order.
 * @throws {MirrorError} any error of the tree as a whole; none for a tree without images
 */
export async function readTree(
  tree: FileTree,
  place: Place,
  reading: Reading,
): Promise<readonly BundlePart[]> {
  const {signal} = reading.context
  const root = treeRoot(tree, {signal})
  const format = await detectFormat(root)
  const parts: BundlePart[] = []
  let used = (_path: string): boolean => false
  if (format !== undefined) {
    const {part, uses} = await readPart(format, {root, place}, reading)
    parts.push(part)
    used = uses
  } else if (place.depth === 0 && (await root.manifestJson())?.json === null) {
    throw invalid(`${tree.name}: manifest.json`, 'is null instead of a list of images')
  }
  const isZarf = tree.find('zarf.yaml') !== undefined
  const below = await readDirectories(tree, {place, isZarf, used}, reading)
  parts.push(...below.parts)
  const rest = tree.entries.filter(({path, kind}) => kind === 'file' && !used(path) && !below.used(path))
  if (isZarf && parts.length > 0) {
    note(
      reading,
      place,
      rest.map(({path, size}) => unused(path, size, 'only its images directory is read')),
    )
    return parts
  }
  return [...parts, ...(await readNested(tree, {place, rest}, reading))]
}

interface Inside {
  readonly parts: readonly BundlePart[]
  readonly used: (path: string) => boolean
}

async function readDirectories(
  tree: FileTree,
  options: {readonly place: Place; readonly isZarf: boolean; readonly used: (path: string) => boolean},
  reading: Reading,
): Promise<Inside> {
  const {place, isZarf, used} = options
  const parts: BundlePart[] = []
  const inside: {readonly prefix: string; readonly uses: (path: string) => boolean}[] = []
  for (const directory of findRoots(tree)) {
    const prefix = `${directory.path}/`
    if (isZarf && directory.path !== 'images') continue
    if (used(`${prefix}index.json`) || used(`${prefix}manifest.json`)) continue
    if (
      inside.some((outer) => prefix.startsWith(outer.prefix) && outer.uses(prefix.slice(outer.prefix.length)))
    )
      continue
    const path = join(place.path, directory.path)
    const root = treeRoot(directory.tree, reading.context)
    const format = await formatOf(root, path, reading)
    if (format === undefined) continue
    parts.push(
      ...(await unlessBroken(path, async () => {
        const read = await readPart(
          format,
          {root, place: {...place, path, hint: path, zarf: isZarf}},
          reading,
        )
        inside.push({prefix, uses: read.uses})
        return [read.part]
      })),
    )
  }
  return {
    parts,
    used: (path) =>
      inside.some(({prefix, uses}) => path.startsWith(prefix) && uses(path.slice(prefix.length))),
  }
}

// An unreadable manifest.json below the root is reported and left out, because many other things use that name.
async function formatOf(root: TreeRoot, path: string, {findings}: Reading): Promise<Format | undefined> {
  try {
    return await detectFormat(root)
  } catch (error) {
    if (!isMirrorError(error) || error.code !== 'MANIFEST_INVALID') throw error
    findings.unused.push({path, size: 0, reason: error.message, isWarning: true})
    return undefined
  }
}

async function readPart(
  format: Format,
  {root, place}: {readonly root: TreeRoot; readonly place: Place & {readonly zarf?: boolean}},
  reading: Reading,
): Promise<{readonly part: BundlePart; readonly uses: (path: string) => boolean}> {
  const {path, hint, zarf} = place
  const content = await format.read(root, {...reading.context, hint, nested: path !== '', zarf})
  const {images, producer} = content
  return {part: {path, format: format.name, producer, images}, uses: (file) => content.uses(file)}
}

async function readNested(
  tree: FileTree,
  {place, rest}: {readonly place: Place; readonly rest: readonly TreeEntry[]},
  reading: Reading,
): Promise<readonly BundlePart[]> {
  const {signal} = reading.context
  const parts: BundlePart[] = []
  const files = rest
    .map(({path}) => ({path, file: tree.find(path)}))
    .filter((found): found is {path: string; file: TreeFile} => found.file !== undefined)
    .sort((left, right) => left.file.position - right.file.position)
  for (const {path, file} of files) {
    const inner = join(place.path, path)
    parts.push(
      ...(await unlessBroken(inner, async () => {
        const kind = sniffContent(await file.read(0, SNIFF_BYTES, {signal}))
        if (place.depth === 0) reading.findings.kinds.set(path, kind)
        if (kind !== 'other') return readInner(file, {kind, path: inner, depth: place.depth + 1}, reading)
        note(reading, place, [unused(path, file.size, 'it is no archive')])
        return []
      })),
    )
  }
  return parts
}

async function readInner(
  file: TreeFile,
  {
    kind,
    path,
    depth,
  }: {readonly kind: Exclude<ContentKind, 'other'>; readonly path: string; readonly depth: number},
  reading: Reading,
): Promise<readonly BundlePart[]> {
  const {findings, archives} = reading
  const leaveOut = (reason: string, isWarning: boolean): readonly BundlePart[] => {
    findings.unused.push({path, size: file.size, reason, isWarning})
    return []
  }
  if (depth >= limits.nestingDepth)
    return leaveOut(`archives are nested deeper than ${limits.nestingDepth}`, true)
  if (kind !== 'tar' && !isRead(kind)) throw notRead(file.name, kind)
  await using archive = await archives.openInner(file, path)
  const {tree} = archive
  if (tree === undefined) return leaveOut('it is compressed and no archive', false)
  const parts = await readArchive({...archive, tree}, {path, hint: path, depth}, reading)
  if (parts.length === 0) return leaveOut('it is an archive without images', false)
  archive.keep()
  return parts
}

/** Turns an error of one part into a part that reports it. */
async function unlessBroken(
  path: string,
  read: () => Promise<readonly BundlePart[]>,
): Promise<readonly BundlePart[]> {
  try {
    return await read()
  } catch (error) {
    if (!isMirrorError(error) || ENDS_ALL.has(error.code)) throw error
    return [brokenPart(path, error)]
  }
}

/** Limits hold for all archives of a bundle together, so the next archive would exceed them too. */
const ENDS_ALL: ReadonlySet<string> = new Set(['CANCELLED', 'LIMIT_EXCEEDED'])

function brokenPart(path: string, error: MirrorError): BundlePart {
  return {path, format: 'unreadable', images: [{hint: path, root: {error}}]}
}

function unused(path: string, size: number, reason: string): Unused {
  return {path, size, reason, isWarning: false}
}

function note({findings}: Reading, place: Place, unused: readonly Unused[]): void {
  findings.unused.push(...unused.map((one) => ({...one, path: join(place.path, one.path)})))
}

function join(outer: string, inner: string): string {
  return outer === '' ? inner : `${outer}: ${inner}`
}
