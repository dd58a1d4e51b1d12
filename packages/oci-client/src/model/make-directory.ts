import {lstat, mkdir, stat} from 'node:fs/promises'
import {dirname, resolve} from 'node:path'
import {codeOf} from './error-code.js'

/**
 * Makes a directory and those above it, one at a time: Node's recursive mkdir never returns if the kernel answers ENOENT
 * although the parent is there, as in /proc.
 * @throws the error of the first level that cannot be made
 */
export async function makeDirectory(
  path: string,
  {mode = 0o777}: {readonly mode?: number} = {},
): Promise<void> {
  const full = resolve(path)
  try {
    await mkdir(full, {mode})
  } catch (error) {
    const above = dirname(full)
    if (codeOf(error) === 'ENOENT' && above !== full && !(await exists(above))) {
      await makeDirectory(above, {mode})
      return mkdirOnce(full, mode)
    }
    if (!(await isDirectory(full))) throw error
  }
}

async function mkdirOnce(full: string, mode: number): Promise<void> {
  await mkdir(full, {mode}).catch(async (error: unknown) => {
    // Another process may have made it meanwhile.
    if (!(await isDirectory(full))) throw error
  })
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}
