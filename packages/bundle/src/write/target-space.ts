import {codeOf, MirrorError} from '@airgap-mirror/oci-client/model'
import {diskSpace, reserveOf, SpaceWatch, type DiskSpace} from '../bytes/disk-space.js'
import {dirname, resolve} from 'node:path'
import {writeFailed} from './write-error.js'

/** Called with the number of bytes before they are written. @throws {MirrorError} WRITE_FAILED if the disk is full */
export type TakeSpace = (bytes: number) => Promise<void>

/**
 * Returns a check for all files of one target, so that a hostile image does not fill the disk: a reserve stays free.
 * The nearest existing directory above `path` tells which disk it is.
 */
export function targetSpace(
  path: string,
  space = (): Promise<DiskSpace> => spaceAbove(resolve(path)),
): TakeSpace {
  const watch = new SpaceWatch(space)
  return async (bytes) => {
    const free = await watch.lack(bytes)
    if (free !== undefined) throw full(`cannot write ${path}: its disk has only ${inUnits(free)} free`)
  }
}

/**
 * Fails if a file system has less room than needed and a reserve. Checks the nearest existing directory above `path`.
 * @throws {MirrorError} WRITE_FAILED, with the missing number of bytes
 */
export async function requireSpace(path: string, needed: number): Promise<void> {
  const space = await spaceAbove(resolve(path))
  const free = Math.max(0, space.free - reserveOf(space))
  if (free >= needed) return
  throw full(
    `${path} needs ${inUnits(needed)}, and its disk has ${inUnits(free)} free: ${inUnits(needed - free)} are missing`,
  )
}

function full(message: string): MirrorError {
  return new MirrorError('WRITE_FAILED', message, {side: 'target', advice: {kind: 'free-disk'}})
}

async function spaceAbove(path: string): Promise<DiskSpace> {
  try {
    return await diskSpace(path)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' && dirname(path) !== path) return spaceAbove(dirname(path))
    throw writeFailed(path, cause)
  }
}

function inUnits(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const value = bytes / 1024 ** power
  return `${power === 0 ? value : Math.ceil(value * 10) / 10} ${units[power]}`
}
