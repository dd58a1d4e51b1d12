import {isMirrorError, limits, readAll} from '@airgap-mirror/oci-client/model'
import {isRead, notRead} from '../codecs/sniff.js'
import type {FileTree, TreeEntry, TreeFile} from '../files/file-tree.js'
import {SNIFF_BYTES, sniffContent, type ContentKind} from '../files/sniff.js'
import {detectFormats} from '../formats/detect-format.js'
import {treeRoot, type Format, type TreeRoot} from '../formats/format.js'
import {invalid} from '../contents/read-json.js'
import type {TarTree} from '../files/tar-tree.js'
import type {ArchiveTree} from '../remembered/archive-tree.js'
import {findRoots} from './find-roots.js'
import {
  brokenPart,
  join,
  note,
  unlessBroken,
  unusedPart,
  type BundlePart,
  type Place,
  type Reading,
} from './reading.js'
import type {BlobStore} from './unused-blobs.js'

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
    parts.push(
      ...(await unlessBroken(path, () => readTarTree(tree, {...place, path, shownAs: path}, reading))),
    )
  }
  const {strayBytes, error} = archive
  if (strayBytes > 0) {
    reading.findings.unused.push({
      path: place.path === '' ? '' : join(place.path, 'behind its end'),
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
  const earlier: FileTree[] = []
  for (const lists of tree.earlier) if (!(await hasSameLists(tree, lists))) earlier.push(lists)
  if (earlier.length > 0)
    reading.findings.warn(`${tree.name} has several lists of images: the images of every list are read`)
  return readTree(tree, place, reading, earlier)
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
 * `earlier` are trees of the same files with other lists of images.
 * @throws {MirrorError} any error of the tree as a whole; none for a tree without images
 */
export async function readTree(
  tree: FileTree,
  place: Place,
  reading: Reading,
  earlier: readonly FileTree[] = [],
): Promise<readonly BundlePart[]> {
  const {signal} = reading.context
  const root = treeRoot(tree, {signal})
  const formats = await detectFormats(root)
  if (formats.length === 0 && place.depth === 0 && (await root.manifestJson())?.json === null) {
    throw invalid(`${tree.name}: manifest.json`, 'is null instead of a list of images')
  }
  const own = await readFormats(formats, {root, place}, reading)
  const parts = [...own.parts]
  const users = [own.used]
  for (const [index, lists] of earlier.entries()) {
    const path = join(place.path, `list ${index + 1}`)
    parts.push(
      ...(await unlessBroken(path, async () => {
        const listed = treeRoot(lists, {signal})
        const found = await readFormats(
          await detectFormats(listed),
          {root: listed, place: {...place, path}},
          reading,
        )
        users.push(found.used)
        return found.parts
      })),
    )
  }
  const used: Uses = (path) => users.some((uses) => uses(path))
  const isZarf = tree.find('zarf.yaml') !== undefined
  const below = await readDirectories(tree, {place, isZarf, used}, reading)
  parts.push(...below.parts)
  const rest = tree.entries.filter(({path, kind}) => kind === 'file' && !used(path) && !below.used(path))
  if (isZarf && parts.length > 0) {
    note(
      reading,
      place,
      rest.map(({path, size}) => unusedPart(path, size, 'only its images directory is read')),
    )
    return parts
  }
  return [...parts, ...(await readNested(tree, {place, rest}, reading))]
}

/** Returns true if a file of the tree belongs to a format. */
type Uses = (path: string) => boolean

interface Inside {
  readonly parts: readonly BundlePart[]
  readonly used: Uses
}

async function readFormats(
  formats: readonly Format[],
  {root, place}: {readonly root: TreeRoot; readonly place: Place},
  reading: Reading,
): Promise<Inside> {
  const parts: BundlePart[] = []
  const users: Uses[] = []
  for (const format of formats) {
    const inside = (file: string): string => join(place.path, file)
    const {part, uses} = await readPart(format, {root, place, inside}, reading)
    parts.push(part)
    users.push(uses)
  }
  return {parts, used: (path) => users.some((uses) => uses(path))}
}

async function readDirectories(
  tree: FileTree,
  options: {readonly place: Place; readonly isZarf: boolean; readonly used: Uses},
  reading: Reading,
): Promise<Inside> {
  const {place, isZarf, used} = options
  const parts: BundlePart[] = []
  const inside: {readonly prefix: string; readonly uses: Uses}[] = []
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
    for (const format of await formatsOf(root, path, reading)) {
      parts.push(
        ...(await unlessBroken(path, async () => {
          const read = await readPart(
            format,
            {
              root,
              place: {...place, path, shownAs: path, zarf: isZarf},
              inside: (file) => join(place.path, prefix + file),
            },
            reading,
          )
          inside.push({prefix, uses: read.uses})
          return [read.part]
        })),
      )
    }
  }
  return {
    parts,
    used: (path) =>
      inside.some(({prefix, uses}) => path.startsWith(prefix) && uses(path.slice(prefix.length))),
  }
}

// An unreadable manifest.json below the root is reported and left out, because many other things use that name.
async function formatsOf(root: TreeRoot, path: string, {findings}: Reading): Promise<readonly Format[]> {
  try {
    return await detectFormats(root)
  } catch (error) {
    if (!isMirrorError(error) || error.code !== 'MANIFEST_INVALID') throw error
    findings.unused.push({path, size: 0, reason: error.message, isWarning: true})
    return []
  }
}

async function readPart(
  format: Format,
  {
    root,
    place,
    inside,
  }: {
    readonly root: TreeRoot
    readonly place: Place & {readonly zarf?: boolean}
    readonly inside: BlobStore['pathOf']
  },
  reading: Reading,
): Promise<{readonly part: BundlePart; readonly uses: Uses}> {
  const {path, shownAs, zarf} = place
  const content = await format.read(root, {...reading.context, shownAs, nested: path !== '', zarf})
  const {images, producer, listed} = content
  if (listed !== undefined) reading.findings.stores.push({tree: root.tree, listed, producer, pathOf: inside})
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
        note(reading, place, [unusedPart(path, file.size, 'it is not an archive')])
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
  const leaveOut = (reason: string, {isWarning = false} = {}): readonly BundlePart[] => {
    findings.unused.push({path, size: file.size, reason, isWarning})
    return []
  }
  if (depth >= limits.nestingDepth)
    return leaveOut(`archives are nested deeper than ${limits.nestingDepth}`, {isWarning: true})
  if (kind !== 'tar' && !isRead(kind)) throw notRead(file.name, kind)
  await using archive = await archives.openInner(file, path)
  const {tree} = archive
  if (tree === undefined) return leaveOut('it is compressed and no archive')
  const parts = await readArchive({...archive, tree}, {path, shownAs: path, depth}, reading)
  if (parts.length === 0) return leaveOut('it is an archive without images')
  archive.keep()
  return parts
}
