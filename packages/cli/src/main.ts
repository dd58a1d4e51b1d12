import {readFile} from 'node:fs/promises'
import {setFlagsFromString} from 'node:v8'
import {spelledOut} from './run/spelled-out.js'
import {outliveStandardError} from './run/standard-streams.js'
import {completeEnvironment, ignoreDebug} from './settings/environment.js'

/**
 * The program; `entry` is the URL of the file that starts it, in a folder of its package. `--version` answers before
 * anything else is loaded: scripts ask for it often.
 */
export async function main(typed: string[], entry: string): Promise<void> {
  const argv = spelledOut(typed)
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(`mirror ${await version(entry)}\n`)
    return
  }
  keepFromOptimizing()
  ignoreDebug()
  completeEnvironment()
  outliveStandardError()
  const [{run}, {settings}, {commands}, {commandIn}, {warnOfVariables}] = await Promise.all([
    import('@oclif/core/run'),
    import('@oclif/core/settings'),
    import('./commands/index.js'),
    import('./run/command-in.js'),
    import('./run/warn-of-variables.js'),
  ])
  // the build runs, whatever NODE_ENV says
  settings.tsnodeEnabled = false
  try {
    const command = commandIn(argv, Object.keys(commands))
    warnOfVariables(new Set(Object.values(commands).flatMap((one) => Object.keys(one.flags))))
    await run(argv, entry)
    // Help without --help follows a missing or wrong command, which is a usage error.
    if (command === undefined && !argv.includes('--help')) process.exitCode = 2
  } catch (error) {
    await (await import('./run/fail.js')).fail(error, {command: undefined, argv})
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
