import {MirrorError} from '@airgap-mirror/oci-client/model'
import {nearestWord} from '../text/nearest-word.js'
import {environment, type Environment} from './environment.js'

const PREFIX = 'MIRROR_'
/** Set for the command of --notify-command, which may run this program again. */
const TOLD: ReadonlySet<string> = new Set(['MIRROR_EXIT_CODE', 'MIRROR_OUTCOME'])

/** The variable by which a flag can be set in the environment: `MIRROR_FLAG_NAME`. */
export function variableOf(flag: string): string {
  return PREFIX + flag.toUpperCase().replaceAll('-', '_')
}

/**
 * The value of a flag's variable; undefined if it is unset or empty.
 * @param known the values that the flag takes; absent: all
 * @throws {MirrorError} USAGE
 */
export function variableText(flag: string, known?: readonly string[]): string | undefined {
  const name = variableOf(flag)
  const value = environment()[name] || undefined
  if (value === undefined || known === undefined || known.includes(value)) return value
  throw new MirrorError(
    'USAGE',
    `${name} is ${JSON.stringify(value)}, which is not one of ${known.join(', ')}`,
  )
}

const TRUE: ReadonlySet<string> = new Set(['true', '1', 'yes', 'on'])
const FALSE: ReadonlySet<string> = new Set(['false', '0', 'no', 'off'])

/**
 * Returns true if the environment variable of a switch switches it on.
 * @throws {MirrorError} USAGE for anything that is neither true nor false
 */
export function variableTruth(flag: string): boolean {
  const value = variableText(flag)?.toLowerCase() ?? 'false'
  if (TRUE.has(value)) return true
  if (FALSE.has(value)) return false
  throw new MirrorError(
    'USAGE',
    `${variableOf(flag)} is ${JSON.stringify(value)}, which is neither true nor false`,
    {
      hint: 'Set it to true or to false, or unset it.',
    },
  )
}

/**
 * Warnings about variables that look like a flag's but belong to no flag.
 * @param flags of all commands
 */
export function unknownVariables(env: Environment, flags: ReadonlySet<string>): readonly string[] {
  const known = [...flags].map(variableOf)
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !TOLD.has(name) && !known.includes(name))
    .toSorted()
    .map((name) => {
      const nearest = nearestWord(name, known)
      return `${name} is set, and no flag goes by it${nearest === undefined ? '' : `: ${nearest} is the nearest`}`
    })
}
