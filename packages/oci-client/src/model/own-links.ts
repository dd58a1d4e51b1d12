import type {Stats} from 'node:fs'
import {lstat, readlink, stat} from 'node:fs/promises'
import {dirname, resolve} from 'node:path'
import {ifAbsent} from './error-code.js'

const MOST_LINKS = 40

/**
 * Returns the place that a path leads to when it is written.
 * A link is followed only if it and its directory belong to this user or to root.
 * Another user's link would choose which file is overwritten, so it is itself the place, and can be replaced.
 */
export async function followOwnLinks(
  path: string,
): Promise<{readonly place: string; readonly existing?: Stats}> {
  let place = resolve(path)
  for (let links = 0; links < MOST_LINKS; links++) {
    const existing = await lstat(place).catch(ifAbsent)
    if (existing === undefined) return {place}
    if (!existing.isSymbolicLink()) return {place, existing}
    if (!isOwnFile(existing) || !isOwnFile(await stat(dirname(place)))) return {place}
    const end = await stat(place).catch(ifAbsent)
    // The kernel's links to open pipes and terminals lead to no path.
    if (end !== undefined && !end.isFile() && !end.isDirectory()) return {place, existing: end}
    place = resolve(dirname(place), await readlink(place))
  }
  throw new Error('too many links')
}

/** Returns true if a file belongs to this user or to root. */
export function isOwnFile({uid}: Stats): boolean {
  return uid === 0 || uid === (process.getuid?.() ?? uid)
}
