import {isAbsolute, relative} from 'node:path'
import {limits, MirrorError} from '@airgap-mirror/oci-client/model'

/** Clean relative path of a symbolic link → its target as written. */
export type LinkTable = ReadonlyMap<string, string>

/**
 * Follows symbolic links, of directories too, by their text only.
 * @returns the path without links; undefined if it leads out of the tree
 * @throws {MirrorError} SOURCE_CORRUPT if links form a circle
 */
export function resolveLinks(
  path: string,
  {links, root}: {readonly links: LinkTable; readonly root: string},
): string | undefined {
  const pending = path.split('/').toReversed()
  const done: string[] = []
  let hops = 0
  for (let component = pending.pop(); component !== undefined; component = pending.pop()) {
    if (component === '' || component === '.') continue
    if (component === '..') {
      if (done.pop() === undefined) return undefined
      continue
    }
    done.push(component)
    const target = links.get(done.join('/'))
    if (target === undefined) continue
    hops += 1
    if (hops > limits.linkHops) {
      throw new MirrorError('SOURCE_CORRUPT', `the symbolic links at ${path} lead in a circle`, {
        side: 'source',
      })
    }
    done.pop()
    if (isAbsolute(target)) done.length = 0
    pending.push(...(isAbsolute(target) ? relative(root, target) : target).split(/[/\\]/).toReversed())
  }
  return done.join('/')
}
