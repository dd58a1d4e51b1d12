import {randomBytes} from 'node:crypto'
import {open, realpath, rename, rm, stat, writeFile} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import {MirrorError, messageOf} from '@airgap-mirror/oci-client/model'

/**
 * Writes a file so that a reader sees the old text or the new one, never a part. Follows a link. What is no regular file
 * (`/dev/stdout`, a pipe) is written as it is, since a rename would replace it.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  try {
    const existing = await stat(path).catch(absent)
    if (existing === undefined || existing.isFile()) {
      await replaceFile(existing === undefined ? path : await realpath(path), text)
    } else {
      await writeFile(path, text)
    }
  } catch (cause) {
    throw new MirrorError('WRITE_FAILED', `cannot write ${path}: ${messageOf(cause)}`, {
      advice: {kind: 'use-writable-place'},
      cause,
    })
  }
}

export interface ReplaceOptions {
  /** Default: what the user's mask leaves of reading and writing for everybody. */
  readonly mode?: number
  /** Whether it must outlast a power failure; default true. */
  readonly durable?: boolean
}

/** Puts a file in the place of another in one step; a crash leaves at most a file `.NAME.….tmp` beside it. */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  {mode = 0o666, durable = true}: ReplaceOptions = {},
): Promise<void> {
  const temporary = join(
    dirname(path),
    `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`,
  )
  try {
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(content)
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

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
