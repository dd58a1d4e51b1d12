import {fileURLToPath} from 'node:url'
import {startChild, type Child} from '@airgap-mirror/test/kit'

const lock = fileURLToPath(new URL('../dist/state/lock.js', import.meta.url))

/** Starts a process that runs `script` with `acquireLock`, `directory` and `say` at hand. */
export function lockProcess(directory: string, script: string): Child {
  return startChild(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import {acquireLock} from ${JSON.stringify(lock)}
import {open, readdir, rm} from 'node:fs/promises'
import {setTimeout as sleep} from 'node:timers/promises'
const directory = ${JSON.stringify(directory)}
const say = (text) => process.stdout.write(text + '\\n')
${script}`,
    ],
    {env: {PATH: process.env['PATH']}},
  )
}
