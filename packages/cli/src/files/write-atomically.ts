import {randomBytes} from 'node:crypto'
import {open, rename, rm, stat, writeFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {codeOf, followOwnLinks, isOwnFile, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'

/**
 * Writes a file so that a reader sees the old text or the new one, never a part. A file that is replaced keeps its mode, if
 * it was ours. A link is followed only if we or root made it, in a directory of ours or root's: one of somebody else would
 * choose which file is overwritten, so it is replaced. A device or a pipe of ours is written as it is.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function writeAtomically(
  path: string,
  text: string,
  {mode}: {readonly mode?: number} = {},
): Promise<void> {
  try {
    const {place, existing} = await followOwnLinks(path)
    if (existing !== undefined && isOwnFile(existing)) {
      if (existing.isFile()) await replaceFile(place, text, {mode: mode ?? existing.mode & 0o777})
      else await writeFile(place, text)
    } else {
      await replaceFile(place, text, {mode})
    }
  } catch (cause) {
    throw new MirrorError('WRITE_FAILED', `cannot write ${path}: ${messageOf(cause)}`, {
      advice: {kind: 'use-writable-place'},
      cause,
    })
  }
}

/**
 * Makes sure, before any work, that `writeAtomically` could write a file: it makes and removes the temporary one.
 * @throws the reason
 */
export async function checkWritable(path: string): Promise<void> {
  const {place, existing} = await followOwnLinks(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') throw new Error(`there is no directory ${dirname(path)}`)
    throw error
  })
  if (existing?.isDirectory() === true) throw new Error('it is a directory')
  if (existing !== undefined && isOwnFile(existing) && !existing.isFile()) return
  const directory = dirname(place)
  if (!(await isDirectory(directory))) throw new Error(`there is no directory ${directory}`)
  const temporary = join(directory, `.${randomBytes(6).toString('hex')}.tmp`)
  const file = await open(temporary, 'wx')
  await file.close()
  await rm(temporary, {force: true})
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}

export interface ReplaceOptions {
  /** Whatever the user's mask is. Default: the mask decides who else may read and write. */
  readonly mode?: number
  /** True if the file must outlast a power failure; default true. */
  readonly durable?: boolean
}

/** Puts a file in the place of another in one step; a crash leaves at most a file `.NAME.….tmp` beside it. */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  {mode, durable = true}: ReplaceOptions = {},
): Promise<void> {
  const temporary = join(
    dirname(path),
    `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`,
  )
  try {
    const file = await open(temporary, 'wx', mode === undefined ? 0o666 : 0o600)
    try {
      await file.writeFile(content)
      if (mode !== undefined) await file.chmod(mode)
      if (durable) await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, {force: true})
    throw error
  }
}
