import {statfs} from 'node:fs/promises'
import {dirname, resolve} from 'node:path'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import {codeOf, writeFailed} from '../write-error.js'

/**
 * Fails if a file system has less room than needed. Checks the nearest existing directory above `path`.
 * @throws {MirrorError} WRITE_FAILED, with the missing number of bytes
 */
export async function requireSpace(path: string, needed: number): Promise<void> {
  const free = await freeBytes(resolve(path))
  if (free >= needed) return
  throw new MirrorError(
    'WRITE_FAILED',
    `${path} needs ${inUnits(needed)}, and its disk has ${inUnits(free)} free: ${inUnits(needed - free)} are missing`,
    {side: 'target', advice: {kind: 'free-disk'}},
  )
}

async function freeBytes(path: string): Promise<number> {
  try {
    const {bavail, bsize} = await statfs(path)
    return bavail * bsize
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' && dirname(path) !== path) return freeBytes(dirname(path))
    throw writeFailed(path, cause)
  }
}

function inUnits(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const value = bytes / 1024 ** power
  return `${power === 0 ? value : Math.ceil(value * 10) / 10} ${units[power]}`
}
