import {VERSION} from './text/version.js'

/**
 * The program. `--version` answers before anything else is loaded, because scripts ask for it often.
 */
export async function main(typed: readonly string[]): Promise<void> {
  if (typed[0] === '--version' && !typed.includes('--verbose')) {
    process.stdout.write(`mirror ${VERSION}\n`)
    return
  }
  const {program} = await import('./program.js')
  await program(typed)
}
