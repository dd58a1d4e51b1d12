import {lstat, readdir, readlink, realpath, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {cancelled, limits, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import type {ReadOptions} from '../bytes/byte-source.js'
import {diskFile, unreadable} from './disk-file.js'
import {linksAmong, type FileTree, type Unused, type TreeEntry} from './file-tree.js'
import {resolveLinks, type LinkTable} from './resolve-links.js'

/** The most files whose size is read at once. */
const BATCH = 64

export interface DirectoryTree extends FileTree {
  readonly unused: readonly Unused[]
}

/** An entry, with its real path. */
interface Listed extends TreeEntry {
  readonly real: string
  /** The target as written, for links. */
  readonly target?: string
}

/**
 * Reads a directory as a tree. Links are resolved against the listing, not by the file system. A link that leads out of
 * the directory is followed only at the top, because the user named that directory. Other such links are left out, and so
 * are pipes, sockets and devices.
 * @throws {MirrorError} SOURCE_UNREADABLE, LIMIT_EXCEEDED, CANCELLED
 */
export async function readDirectoryTree(
  directory: string,
  options: ReadOptions = {},
): Promise<DirectoryTree> {
  const {signal} = options
  let root: string
  try {
    root = await realpath(directory)
  } catch (cause) {
    throw unreadable(directory, cause)
  }
  const unused: Unused[] = []
  const listing = await list({path: '', real: root}, {name: directory, signal, unused})
  const inside = withFollowed(listing, await followed(listing, {root, directory, signal, unused}))
  const links: LinkTable = new Map(
    inside.flatMap(({path, target}) => (target === undefined ? [] : [[path, target]])),
  )
  const files = new Map(
    inside.flatMap((entry) => (entry.kind === 'file' ? [[entry.path, entry] as const] : [])),
  )
  const known = new Set(inside.map(({path}) => path))
  unused.push(...deadLinks(inside, {links, root, known}))
  const entries = inside.map(({path, kind, size}) => ({path, kind, size}))
  return {
    name: directory,
    entries,
    unused,
    isLink: linksAmong(entries),
    leadsOut: (path) => links.has(path) && leadsOut(path, {links, root}),
    find: (path) => {
      const resolved = resolveLinks(path, {links, root})
      const file = resolved === undefined ? undefined : files.get(resolved)
      return file === undefined ? undefined : diskFile(file.real, file.size)
    },
  }
}

interface Listing extends ReadOptions {
  readonly name: string
  readonly unused: Unused[]
}

async function list(
  start: {readonly path: string; readonly real: string},
  options: Listing,
): Promise<Listed[]> {
  const {name, signal, unused} = options
  const found: Listed[] = []
  const directories = [start]
  let files: {readonly path: string; readonly real: string}[] = []
  const measure = async (): Promise<void> => {
    found.push(...(await Promise.all(files.map(measured))))
    files = []
  }
  for (let at = directories.pop(); at !== undefined; at = directories.pop()) {
    if (signal?.aborted) throw cancelled(signal)
    for (const entry of await children(at.real)) {
      const path = at.path === '' ? entry.name : `${at.path}/${entry.name}`
      const place = {path, real: join(at.real, entry.name)}
      if (entry.isDirectory()) {
        found.push({...place, kind: 'directory', size: 0})
        directories.push(place)
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        files.push(place)
        if (files.length >= BATCH) await measure()
      } else {
        unused.push({path, size: 0, reason: 'it is a pipe, a socket or a device', isWarning: false})
      }
      if (found.length > limits.tarEntries) {
        throw new MirrorError('LIMIT_EXCEEDED', `${name} holds over ${limits.tarEntries} files`, {
          side: 'source',
        })
      }
    }
  }
  await measure()
  return found.sort((left, right) => (left.path < right.path ? -1 : 1))
}

async function children(directory: string) {
  try {
    return await readdir(directory, {withFileTypes: true})
  } catch (cause) {
    throw unreadable(directory, cause)
  }
}

async function measured({path, real}: {readonly path: string; readonly real: string}): Promise<Listed> {
  try {
    const stats = await lstat(real)
    if (!stats.isSymbolicLink()) return {path, real, kind: 'file', size: stats.size}
    return {path, real, kind: 'link', size: 0, target: await readlink(real)}
  } catch (cause) {
    throw unreadable(real, cause)
  }
}

interface Following extends ReadOptions {
  readonly root: string
  readonly directory: string
  readonly unused: Unused[]
}

/** Returns the content of links at the top that lead out of the directory: a file, or a directory with all below it. */
async function followed(
  listing: readonly Listed[],
  {root, directory, signal, unused}: Following,
): Promise<ReadonlyMap<string, readonly Listed[]>> {
  const links: LinkTable = new Map(
    listing.flatMap(({path, target}) => (target === undefined ? [] : [[path, target]])),
  )
  const found = new Map<string, readonly Listed[]>()
  for (const {path, kind, real} of listing) {
    if (kind !== 'link' || path.includes('/') || !leadsOut(path, {links, root})) continue
    try {
      const target = await realpath(real)
      const stats = await stat(target)
      if (stats.isFile()) found.set(path, [{path, real: target, kind: 'file', size: stats.size}])
      if (!stats.isDirectory() || isAround(target, root)) continue
      const below = await list({path, real: target}, {name: directory, signal, unused})
      found.set(path, [{path, real: target, kind: 'directory', size: 0}, ...below])
    } catch (error) {
      if (error instanceof MirrorError && error.code !== 'SOURCE_UNREADABLE') throw error
      unused.push({path, size: 0, reason: `its target cannot be read: ${messageOf(error)}`, isWarning: true})
    }
  }
  return found
}

function leadsOut(path: string, tree: {readonly links: LinkTable; readonly root: string}): boolean {
  try {
    return resolveLinks(path, tree) === undefined
  } catch {
    // A circle is not followed; the reader that needs the file reports it.
    return false
  }
}

// Not followed, because a directory around the bundle holds the bundle itself and much that is unrelated.
function isAround(target: string, root: string): boolean {
  return root === target || root.startsWith(target.endsWith('/') ? target : `${target}/`)
}

function withFollowed(
  listing: readonly Listed[],
  found: ReadonlyMap<string, readonly Listed[]>,
): readonly Listed[] {
  if (found.size === 0) return listing
  const all = listing.flatMap((entry) => found.get(entry.path) ?? [entry])
  return all.toSorted((left, right) => (left.path < right.path ? -1 : 1))
}

/** Returns links that lead out of the directory or to nothing. */
function deadLinks(
  listing: readonly Listed[],
  {
    links,
    root,
    known,
  }: {readonly links: LinkTable; readonly root: string; readonly known: ReadonlySet<string>},
): readonly Unused[] {
  return listing.flatMap(({path, kind, target}) => {
    if (kind !== 'link') return []
    const shown = JSON.stringify(target)
    if (leadsOut(path, {links, root}))
      return [
        {path, size: 0, reason: `it is a link that leads out of the directory, to ${shown}`, isWarning: true},
      ]
    return leadsToNothing(path, {links, root, known})
      ? [{path, size: 0, reason: `it is a link to nothing, ${shown}`, isWarning: true}]
      : []
  })
}

function leadsToNothing(
  path: string,
  {
    links,
    root,
    known,
  }: {readonly links: LinkTable; readonly root: string; readonly known: ReadonlySet<string>},
): boolean {
  try {
    const resolved = resolveLinks(path, {links, root})
    return resolved !== undefined && resolved !== '' && !known.has(resolved)
  } catch {
    // Links in a circle lead to nothing.
    return true
  }
}
