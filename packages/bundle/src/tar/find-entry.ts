import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {cleanPath, directoryOf} from './clean-path.js'
import type {TarEntry} from './tar-entry.js'

/**
 * Returns a function that finds a file or directory inside an archive by path. It follows links as if the archive were
 * unpacked into an empty root directory, without a file system. It returns undefined if there is none, or links leave the
 * archive, end nowhere or form a circle.
 * @throws {MirrorError} LIMIT_EXCEEDED, from the returned function, if following links takes too much work
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

  /** Returns the path with its first linked directory replaced by the link's target; undefined if there is none. */
  const throughLinkedDirectory = (path: string): string | undefined => {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const parent = lookUp(path.slice(0, slash))
      if (parent?.type !== 'symlink') continue
      const target = linkTarget(parent)
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
      wanted = entry === undefined ? throughLinkedDirectory(wanted) : linkTarget(entry)
    }
    return undefined
  }
}

/**
 * Returns a link's target: relative to its directory if symbolic, to the archive's root if hard. Undefined if it leads out
 * of the archive.
 */
export function linkTarget({path, type, linkPath = ''}: TarEntry): string | undefined {
  return cleanPath(
    type === 'hardlink' || linkPath.startsWith('/') ? linkPath : `${directoryOf(path)}/${linkPath}`,
  )
}
