import {warningLine} from '../render/event-line.js'
import {environment} from '../settings/environment.js'
import {unknownVariables} from '../settings/variables.js'

/**
 * Warns on standard error of variables that look like a flag's but belong to no flag.
 * @param flags of all commands
 */
export function warnOfVariables(flags: ReadonlySet<string>): void {
  for (const text of unknownVariables(environment(), flags)) process.stderr.write(warningLine(text))
}
