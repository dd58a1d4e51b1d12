import {lstat, readdir, readlink, realpath} from 'node:fs/promises'
import {join} from 'node:path'
import {cancelled, limits, MirrorError} from '@airgap-mirror/oci-client/model'
import type {ReadOptions} from '../bytes/byte-source.js'
import {diskFile, unreadable} from './disk-file.js'
import type {FileTree, TreeEntry} from './file-tree.js'
import {resolveLinks, type LinkTable} from './resolve-links.js'

/** Files whose size is asked for at once. */
const BATCH = 64

/**
 * A directory as a tree. Links are resolved against the listing, never by the file system, so nothing outside the
 * directory is read; pipes, sockets and devices are left out.
 * @throws {MirrorError} SOURCE_UNREADABLE, LIMIT_EXCEEDED, CANCELLED
 */
export async function readDirectoryTree(directory: string, options: ReadOptions = {}): Promise<FileTree> {
  let root: string
  try {
    root = await realpath(directory)
  } catch (cause) {
    throw unreadable(directory, cause)
  }
  const listing = await list(root, {name: directory, signal: options.signal})
  const links: LinkTable = new Map(
    listing.flatMap(({path, target}) => (target === undefined ? [] : [[path, target]])),
  )
  const sizes = new Map(
    listing.flatMap(({path, kind, size}) => (kind === 'file' ? [[path, size] as const] : [])),
  )
  return {
    name: directory,
    entries: listing.map(({path, kind, size}) => ({path, kind, size})),
    find: (path) => {
      const real = resolveLinks(path, {links, root})
      const size = real === undefined ? undefined : sizes.get(real)
      return real === undefined || size === undefined ? undefined : diskFile(join(root, real), size)
    },
  }
}

interface Listed extends TreeEntry {
  /** As written, for links. */
  readonly target?: string
}

async function list(root: string, options: ReadOptions & {readonly name: string}): Promise<Listed[]> {
  const found: Listed[] = []
  const directories = ['']
  let files: string[] = []
  const measure = async (): Promise<void> => {
    found.push(...(await Promise.all(files.map((path) => measured(root, path)))))
    files = []
  }
  for (let at = directories.pop(); at !== undefined; at = directories.pop()) {
    if (options.signal?.aborted) throw cancelled(options.signal)
    for (const entry of await children(join(root, at))) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`
      if (entry.isDirectory()) {
        found.push({path, kind: 'directory', size: 0})
        directories.push(path)
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        files.push(path)
        if (files.length >= BATCH) await measure()
      }
      if (found.length > limits.tarEntries) {
        throw new MirrorError('LIMIT_EXCEEDED', `${options.name} holds over ${limits.tarEntries} files`, {
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

async function measured(root: string, path: string): Promise<Listed> {
  const full = join(root, path)
  try {
    const stats = await lstat(full)
    if (!stats.isSymbolicLink()) return {path, kind: 'file', size: stats.size}
    return {path, kind: 'link', size: 0, target: await readlink(full)}
  } catch (cause) {
    throw unreadable(full, cause)
  }
}
