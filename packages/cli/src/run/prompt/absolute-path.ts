import {homedir} from 'node:os'
import {resolve} from 'node:path'

/** Returns a typed path as a shell would read it. */
export function absolutePath(path: string): string {
  return resolve(path.trim().replace(/^~(?=\/|$)/, homedir()))
}
