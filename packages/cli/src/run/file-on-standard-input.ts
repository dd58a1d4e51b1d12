import {access, constants, readFile, readlink, stat} from 'node:fs/promises'

/**
 * Returns the path of the file that standard input was opened from and stands at the start of, as after `< bundle.tar`. Read
 * by its path, it needs neither scratch nor one pass. Undefined for anything else, and where there is no `/proc`.
 */
export async function fileOnStandardInput(): Promise<string | undefined> {
  const {fd} = process.stdin
  try {
    // After fstat of a pipe, Node.js 20 does not resolve the links of the packages that it imports next.
    const own = await stat(`/proc/self/fd/${fd}`)
    if (!own.isFile()) return undefined
    const state = await readFile(`/proc/self/fdinfo/${fd}`, 'utf8')
    if (!/^pos:\s*0$/m.test(state)) return undefined
    const path = await readlink(`/proc/self/fd/${fd}`)
    // The file may have been removed or replaced, and another account may have opened it.
    const {dev, ino} = await stat(path)
    await access(path, constants.R_OK)
    return dev === own.dev && ino === own.ino ? path : undefined
  } catch {
    return undefined
  }
}
