import {randomBytes} from 'node:crypto'
import {closeSync, openSync, renameSync, rmSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {followOwnLinks, isOwnFile, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'

/**
 * Begins a file that is written while a run goes on, and returns its descriptor. An old file is replaced by an empty one,
 * so a file or link of somebody else is never written through. A device or a pipe of ours is written as it is.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function beginFile(path: string): Promise<number> {
  try {
    const {place, existing} = await followOwnLinks(path)
    if (existing !== undefined && isOwnFile(existing) && !existing.isFile()) return openSync(place, 'w')
    const temporary = join(
      dirname(place),
      `.${basename(place).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`,
    )
    const file = openSync(temporary, 'wx')
    try {
      renameSync(temporary, place)
      return file
    } catch (error) {
      closeSync(file)
      rmSync(temporary, {force: true})
      throw error
    }
  } catch (cause) {
    throw new MirrorError('WRITE_FAILED', `cannot write ${path}: ${messageOf(cause)}`, {
      advice: {kind: 'use-writable-place'},
      cause,
    })
  }
}
