import {setFlagsFromString} from 'node:v8'
import {commands} from './commands/index.js'
import type {CommandTable} from './run/command.js'
import {readCall, type KnownCommands} from './run/read-call.js'
import {outliveStandardError} from './run/standard-streams.js'
import {completeEnvironment, ignoreDebug} from './settings/environment.js'
import {VERSION} from './text/version.js'

/** Does what the arguments ask for. An error sets the exit code and is printed. */
export async function program(typed: readonly string[]): Promise<void> {
  outliveStandardError()
  try {
    await call(typed, commands)
  } catch (error) {
    await (await import('./run/fail.js')).fail(error, {command: undefined, argv: typed})
  }
}

async function call(typed: readonly string[], table: CommandTable): Promise<void> {
  keepFromOptimizing()
  ignoreDebug()
  completeEnvironment()
  const request = readCall(typed, known(table))
  if (request.type === 'version') {
    process.stdout.write(`mirror ${VERSION}\n`)
    if (request.verbose) process.stdout.write(await (await import('./run/runtime-text.js')).runtimeText())
  } else if (request.type === 'help') {
    const {helpText} = await import('./help/help-text.js')
    process.stdout.write(helpText(table, request))
    // Help that nobody asked for follows a missing command, which is a usage error.
    if (!request.asked) process.exitCode = 2
  } else {
    const {warnOfVariables} = await import('./run/warn-of-variables.js')
    warnOfVariables(new Set(Object.values(table).flatMap(({flags}) => Object.keys(flags))))
    const Chosen = table[request.id]
    if (Chosen === undefined) throw new Error(`there is no command ${request.id}`)
    await new Chosen(request.argv, table).execute(request.id)
  }
}

function known(table: CommandTable): KnownCommands {
  const aliases = Object.entries(table).flatMap(([id, {aliases: others}]) =>
    others.map((other) => [other, id] as const),
  )
  return {ids: Object.keys(table), aliases: new Map(aliases)}
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
