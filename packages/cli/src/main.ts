import {setFlagsFromString} from 'node:v8'
import type {KnownCommands} from './run/read-call.js'
import {outliveStandardError} from './run/standard-streams.js'
import {completeEnvironment, ignoreDebug} from './settings/environment.js'
import {VERSION} from './text/version.js'

/**
 * The program; `entry` is the URL of the file that starts it, in a folder of its package. `--version` answers before
 * anything else is loaded: scripts ask for it often.
 */
export async function main(typed: string[], entry: string): Promise<void> {
  if (typed[0] === '--version') {
    process.stdout.write(`mirror ${VERSION}\n`)
    return
  }
  outliveStandardError()
  try {
    await call(typed, entry)
  } catch (error) {
    await (await import('./run/fail.js')).fail(error, {command: undefined, argv: typed})
  }
}

async function call(typed: readonly string[], entry: string): Promise<void> {
  keepFromOptimizing()
  ignoreDebug()
  completeEnvironment()
  const [{commands}, {readCall}] = await Promise.all([
    import('./commands/index.js'),
    import('./run/read-call.js'),
  ])
  const request = readCall(typed, known(commands))
  if (request.type === 'version') {
    process.stdout.write(`mirror ${VERSION}\n`)
  } else if (request.type === 'help') {
    const {helpText} = await import('./help/help-text.js')
    process.stdout.write(helpText(commands, request))
    // Help that nobody asked for follows a missing command, which is a usage error.
    if (!request.asked) process.exitCode = 2
  } else {
    const [{Config}, {settings}, {warnOfVariables}] = await Promise.all([
      import('@oclif/core/config'),
      import('@oclif/core/settings'),
      import('./run/warn-of-variables.js'),
    ])
    // the build runs, whatever NODE_ENV says
    settings.tsnodeEnabled = false
    warnOfVariables(new Set(Object.values(commands).flatMap((one) => Object.keys(one.flags))))
    const config = await Config.load(entry)
    await config.runCommand(request.id, [...request.argv])
  }
}

function known(commands: Readonly<Record<string, {readonly aliases?: readonly string[]}>>): KnownCommands {
  const aliases = Object.entries(commands).flatMap(([id, {aliases: others = []}]) =>
    others.map((other) => [other, id] as const),
  )
  return {ids: Object.keys(commands), aliases: new Map(aliases)}
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
