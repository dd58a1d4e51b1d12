import type {Stats} from 'node:fs'
import {lstat, realpath, stat} from 'node:fs/promises'
import {dirname} from 'node:path'

/**
 * The reason why another user could change what a directory holds; undefined if none could. As with ssh's StrictModes the
 * directory has to be ours, root included, and each parent ours or root's; a parent in which others may write is sticky.
 * @throws the error of the file system
 */
export async function problemWithDirectory(path: string): Promise<string | undefined> {
  const own = problemWithOwn(await lstat(path))
  if (own !== undefined || process.platform === 'win32') return own
  for (let child = await realpath(path); dirname(child) !== child; child = dirname(child)) {
    const parent = dirname(child)
    const stats = await stat(parent)
    if (stats.uid !== 0 && stats.uid !== process.getuid?.())
      return `its parent ${parent} belongs to somebody else`
    if (isOpenToOthers(stats) && (stats.mode & STICKY) === 0)
      return `others may write into its parent ${parent}`
  }
  return undefined
}

/** The same for the directory itself, without its parents. */
export function problemWithOwn(stats: Stats): string | undefined {
  if (!stats.isDirectory()) return 'it is not a directory'
  if (stats.uid !== (process.getuid?.() ?? stats.uid)) return 'it belongs to somebody else'
  return process.platform !== 'win32' && isOpenToOthers(stats) ? 'others may write there' : undefined
}

const STICKY = 0o1000

function isOpenToOthers({mode}: Stats): boolean {
  return (mode & 0o022) !== 0
}
