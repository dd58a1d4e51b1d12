import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {cleanPath, directoryOf} from './clean-path.js'
import type {TarEntry} from './tar-entry.js'

/**
 * Finds the file or directory that a path means inside an archive, following links as if it were unpacked into an empty
 * root directory. No file system is asked. What it returns gives undefined where there is none, or the links leave the
 * archive, end nowhere or go in a circle.
 * @throws {MirrorError} LIMIT_EXCEEDED, from what it returns, where following links has become more work than makes sense
 */
export function entryFinder(
  name: string,
  members: ReadonlyMap<string, TarEntry>,
): (path: string) => TarEntry | undefined {
  let characters = limits.linkCharacters

  const lookUp = (path: string): TarEntry | undefined => {
    characters -= path.length
    if (characters >= 0) return members.get(path)
    throw new MirrorError('LIMIT_EXCEEDED', `${name} has too many links, or they lead too far`, {
      side: 'source',
    })
  }

  /** The path with its first linked directory replaced by what the link names. */
  const throughLinkedDirectory = (path: string): string | undefined => {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const parent = lookUp(path.slice(0, slash))
      if (parent?.type !== 'symlink') continue
      const target = targetOf(parent)
      return target === undefined ? undefined : cleanPath(`${target}${path.slice(slash)}`)
    }
    return undefined
  }

  return (path) => {
    let wanted = cleanPath(path)
    for (let hops = 0; hops <= limits.linkHops && wanted !== undefined; hops += 1) {
      if (wanted.length > limits.tarPathLength) return undefined
      const entry = hops === 0 ? members.get(wanted) : lookUp(wanted)
      if (entry?.type === 'file' || entry?.type === 'directory') return entry
      wanted = entry === undefined ? throughLinkedDirectory(wanted) : targetOf(entry)
    }
    return undefined
  }
}

/** Where a link leads: a symbolic one from its directory, a hard one from the archive's root. */
function targetOf({path, type, linkPath = ''}: TarEntry): string | undefined {
  return cleanPath(
    type === 'hardlink' || linkPath.startsWith('/') ? linkPath : `${directoryOf(path)}/${linkPath}`,
  )
}
