import {readdir, stat} from 'node:fs/promises'
import {refused, writeFailed} from './write-error.js'
import {ifAbsent} from '@airgap-mirror/oci-client/model'

/**
 * Passes for a directory that does not exist, is empty, or has the marker of what it holds.
 * @throws {MirrorError} USAGE for any other, WRITE_FAILED
 */
export async function checkDirectory(
  path: string,
  {marker, what}: {readonly marker: string; readonly what: string},
): Promise<void> {
  try {
    const stats = await stat(path).catch(ifAbsent)
    if (stats === undefined) return
    if (!stats.isDirectory()) throw refused(`${path} is not a directory`, {kind: 'use-empty-directory'})
    const names = await readdir(path)
    // Temporary files of a crashed run do not matter.
    if (names.some((name) => !name.endsWith('.tmp')) && !names.includes(marker)) {
      throw refused(`${path} holds more than ${what}`, {kind: 'use-empty-directory'})
    }
  } catch (cause) {
    throw writeFailed(path, cause)
  }
}
