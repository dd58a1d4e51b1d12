import {readFile} from 'node:fs/promises'

/** The program. `--version` answers before anything else is loaded: scripts ask for it often. */
export const main = async (argv: string[], entry: string): Promise<void> => {
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(`mirror ${await version()}\n`)
    return
  }
  const [{run}, {settings}] = await Promise.all([import('@oclif/core/run'), import('@oclif/core/settings')])
  // what runs is the build, whatever NODE_ENV says
  settings.tsnodeEnabled = false
  try {
    await run(argv, entry)
  } catch (error) {
    await (await import('./commands/fail.js')).fail(error, {command: undefined})
  }
}

const version = async (): Promise<string> => {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as {version: string}).version
}
