import {readdirSync, readlinkSync, realpathSync, statSync} from 'node:fs'
import {join, relative, sep} from 'node:path'
import {limits, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {byBytes} from './node-files.js'

/** Directories of programs and of running systems: they hold no configuration of a container runtime. */
const SKIPPED =
  /^\/(?:proc|sys|dev|usr|bin|sbin|lib|lib32|lib64|boot|tmp|nix|snap|run\/(?!containers|user)[^/]+|run\/user\/[^/]+\/(?!containers)[^/]+|var\/(?!lib(?:\/|$))[^/]+|var\/lib\/(?!rancher|kubelet)[^/]+|var\/lib\/kubelet\/(?!config\.json$).+|var\/lib\/rancher\/[^/]+\/(?!agent)[^/]+|var\/lib\/rancher\/[^/]+\/agent\/(?!etc)[^/]+)$/

/** All that is entered of a running system, which may hold millions of files: the places of configuration and the ways there. */
const ENTERED =
  /^\/(?:etc(?:\/.+)?|root|home|home\/[^/]+|(?:root|home\/[^/]+)\/(?:\.docker|\.config|\.config\/containers(?:\/.+)?)|run|run\/containers(?:\/.+)?|run\/user|run\/user\/\d+|run\/user\/\d+\/containers(?:\/.+)?|var|var\/lib|var\/lib\/kubelet|var\/lib\/rancher|var\/lib\/rancher\/[^/]+|var\/lib\/rancher\/[^/]+\/agent|var\/lib\/rancher\/[^/]+\/agent\/etc(?:\/.+)?)$/

export interface WalkedNode {
  /** The real place of each path on the node; sorted by bytes. */
  readonly files: ReadonlyMap<string, string>
  readonly directories: ReadonlySet<string>
  readonly warnings: readonly string[]
}

interface Walk {
  readonly root: string
  /** The directory is / of a system that runs. */
  readonly isLive: boolean
  readonly files: Map<string, string>
  readonly directories: Set<string>
  readonly warnings: string[]
}

/**
 * Finds the files below a directory. An absolute link counts from that directory, as on the node.
 * Links that leave the directory are not followed and are reported.
 * A directory inside that cannot be read is reported too.
 * @throws {MirrorError} CONFIG_INVALID if the directory itself cannot be read, LIMIT_EXCEEDED
 */
export function walkNode(directory: string): WalkedNode {
  const root = realpathSync(directory)
  const names = new Set(namesIn(root))
  const isLive = ['etc', 'usr', 'proc'].every((name) => names.has(name))
  const walk: Walk = {root, isLive, files: new Map(), directories: new Set(['/']), warnings: []}
  visit('/', {walk, place: root, inside: [root]})
  return {
    files: new Map([...walk.files].sort(([left], [right]) => byBytes(left, right))),
    directories: walk.directories,
    warnings: walk.warnings,
  }
}

function visit(
  path: string,
  {walk, place, inside}: {readonly walk: Walk; readonly place: string; readonly inside: readonly string[]},
): void {
  let entries
  try {
    entries = readdirSync(place, {withFileTypes: true})
  } catch (cause) {
    if (path === '/') throw unreadable(place, cause)
    walk.warnings.push(`${path} is not read: ${messageOf(cause)}`)
    return
  }
  for (const entry of entries) {
    const own = path === '/' ? `/${entry.name}` : `${path}/${entry.name}`
    if (SKIPPED.test(own) || (walk.isLive && !entry.isFile() && !ENTERED.test(own))) continue
    const target = entry.isSymbolicLink() ? followLink(own, walk) : join(place, entry.name)
    if (target === undefined) continue
    const kind = entry.isSymbolicLink() ? statSync(target) : entry
    if (kind.isDirectory()) {
      walk.directories.add(own)
      if (!inside.includes(target)) visit(own, {walk, place: target, inside: [...inside, target]})
    } else if (kind.isFile()) {
      walk.files.set(own, target)
    }
    if (walk.files.size + walk.directories.size > limits.nodeFiles) {
      throw new MirrorError('LIMIT_EXCEEDED', `${walk.root} holds more than ${limits.nodeFiles} files`, {
        hint: 'Copy the configuration of the node into a directory of its own.',
      })
    }
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (cause) {
    throw unreadable(directory, cause)
  }
}

function unreadable(place: string, cause: unknown): MirrorError {
  return new MirrorError('CONFIG_INVALID', `cannot read ${place}: ${messageOf(cause)}`, {cause})
}

/** The real place that a link leads to; absent, with a warning, if that is not below the root or not there. */
function followLink(path: string, walk: Walk): string | undefined {
  const {root, warnings} = walk
  let place = join(root, path)
  try {
    const text = readlinkSync(place)
    if (text.startsWith('/') && !isBelow(text, root)) place = join(root, text)
    const real = realpathSync(place)
    if (isBelow(real, root)) return real
    warnings.push(`${path} is not read because it is a link that leaves the given directory`)
  } catch {
    warnings.push(`${path} is not read because it is a link to a file that is not there`)
  }
  return undefined
}

function isBelow(path: string, root: string): boolean {
  const way = relative(root, path)
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || way.startsWith('/'))
}
