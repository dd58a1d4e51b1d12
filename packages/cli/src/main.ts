import {readFile} from 'node:fs/promises'
import {setFlagsFromString} from 'node:v8'
import {ignoreDebug} from './settings/environment.js'

/**
 * The program; `entry` is the URL of the file that starts it, in a folder of its package. `--version` answers before
 * anything else is loaded: scripts ask for it often.
 */
export async function main(argv: string[], entry: string): Promise<void> {
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(`mirror ${await version(entry)}\n`)
    return
  }
  keepFromOptimizing()
  ignoreDebug()
  const [{run}, {settings}] = await Promise.all([import('@oclif/core/run'), import('@oclif/core/settings')])
  // what runs is the build, whatever NODE_ENV says
  settings.tsnodeEnabled = false
  try {
    await run(argv, entry)
  } catch (error) {
    await (await import('./run/fail.js')).fail(error, {command: undefined})
  }
}

async function version(entry: string): Promise<string> {
  const text = await readFile(new URL('../package.json', entry), 'utf8')
  return (JSON.parse(text) as {version: string}).version
}

/** The last release line of Node.js that was seen to know the flag; V8 complains on standard error of others. */
const NEWEST_NODE = 26

/**
 * undici parses HTTP in WebAssembly, and V8 optimizes its main function after a dozen answers: 60 ms and more of another
 * thread's time, for which the process waits when it ends. Short runs never earn that back; in long ones it comes later.
 */
function keepFromOptimizing(): void {
  if (Number.parseInt(process.versions.node, 10) > NEWEST_NODE) return
  setFlagsFromString('--wasm-tiering-budget=2000000000')
}
