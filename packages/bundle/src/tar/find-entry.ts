import {limits} from '@airgap-mirror/oci-client/model'
import {cleanPath, directoryOf} from './clean-path.js'
import type {TarEntry} from './tar-entry.js'

/**
 * Finds the file or directory that a path means inside an archive, following links as if it were unpacked into an empty
 * root directory. No file system is asked.
 * @returns undefined where there is none, or the links leave the archive, end nowhere or go in a circle
 */
export const findEntry = (path: string, members: ReadonlyMap<string, TarEntry>): TarEntry | undefined => {
  let wanted = cleanPath(path)
  for (let hops = 0; hops <= limits.linkHops && wanted !== undefined; hops += 1) {
    const entry = members.get(wanted)
    if (entry?.type === 'file' || entry?.type === 'directory') return entry
    wanted = entry === undefined ? throughLinkedDirectory(wanted, members) : targetOf(entry)
  }
  return undefined
}

/** Where a link leads: a symbolic one from its directory, a hard one from the archive's root. */
const targetOf = ({path, type, linkPath = ''}: TarEntry): string | undefined =>
  cleanPath(type === 'hardlink' || linkPath.startsWith('/') ? linkPath : `${directoryOf(path)}/${linkPath}`)

/** The path with its first linked directory replaced by what the link names. */
const throughLinkedDirectory = (path: string, members: ReadonlyMap<string, TarEntry>): string | undefined => {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const parent = members.get(path.slice(0, slash))
    if (parent?.type !== 'symlink') continue
    const target = targetOf(parent)
    return target === undefined ? undefined : cleanPath(`${target}${path.slice(slash)}`)
  }
  return undefined
}
