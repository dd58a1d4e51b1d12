import {randomBytes} from 'node:crypto'
import {basename, dirname, join} from 'node:path'

/** Returns a name beside a file under which it is written until it is complete. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}.tmp`)
}
