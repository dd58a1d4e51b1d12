import {stripVTControlCharacters} from 'node:util'
import {isMirrorError, MirrorError} from '@airgap-mirror/oci-client/model'
import type {AdvisedCommand} from '../text/advice/words.js'
import {nearestWord} from '../text/nearest-word.js'
import {translateFlag} from './foreign-flags.js'

/**
 * An error of oclif about arguments, as a usage error in this program's words; undefined for any other error. FORCE_COLOR
 * colours its text.
 */
export function usageErrorOf(error: unknown, command: AdvisedCommand | undefined): MirrorError | undefined {
  if (isMirrorError(error) || !(error instanceof Error) || exitCodeIn(error) === undefined) return undefined
  const {flags} = error as {flags?: readonly unknown[]}
  const unknown = flags?.filter((flag) => typeof flag === 'string') ?? []
  if (error.message.startsWith('Nonexistent flag') && unknown.length > 0)
    return unknownFlags(unknown, command)
  return new MirrorError('USAGE', reworded(stripVTControlCharacters(error.message)), {
    hint: seeHelp(command?.name),
  })
}

/** The exit code in an error of oclif. */
export function exitCodeIn(error: unknown): number | undefined {
  const exit = (error as {oclif?: {exit?: unknown}} | undefined)?.oclif?.exit
  return typeof exit === 'number' ? exit : undefined
}

export function seeHelp(command: string | undefined): string {
  return `Run "mirror ${command === undefined ? '' : `${command} `}--help" to see how it is used.`
}

function unknownFlags(typed: readonly string[], command: AdvisedCommand | undefined): MirrorError {
  const known = command?.flags ?? {}
  const names = Object.keys(known)
  const hints = typed.flatMap((flag) => {
    const name = flag.replace(/^-+/, '').replace(/=.*$/s, '')
    const foreign = translateFlag(name, known)
    if (foreign !== undefined) return [`--${name} is ${foreign.program}'s: ${foreign.words}.`]
    const nearest = nearestWord(name, names)
    return nearest === undefined ? [] : [`Use --${nearest}.`]
  })
  const shown = typed.map((flag) => flag.replace(/=.*$/s, ''))
  return new MirrorError('USAGE', `unknown flag${shown.length === 1 ? '' : 's'} ${shown.join(', ')}`, {
    hint: hints.length > 0 ? [...new Set(hints)].join(' ') : seeHelp(command?.name),
  })
}

const REWORDED: readonly (readonly [RegExp, (...groups: string[]) => string])[] = [
  [
    /^--(\S+?)(?:=.*)? cannot also be provided when using --(\S+)$/,
    (one = '', other = '') => `--${one} does not go with --${other}`,
  ],
  [/^Flag --(\S+) expects a value$/, (flag = '') => `--${flag} lacks its value`],
  [
    /^Flag --(\S+) expects one of these values: (.*)$/,
    (flag = '', values = '') => `--${flag} lacks its value: one of ${values}`,
  ],
  [
    /^Expected --([^\s=]+)=(.*) to be one of: (.*)$/,
    (flag = '', value = '', values = '') => `--${flag} ${JSON.stringify(value)} is not one of ${values}`,
  ],
  [
    /^Expected (.*) to be one of: (.*)$/,
    (value = '', values = '') => `${JSON.stringify(value)} is not one of ${values}`,
  ],
  [/^Unexpected argument: ?(.*)$/, (rest = '') => `unexpected argument ${JSON.stringify(rest)}`],
  [
    /^Unexpected arguments: (.*)$/,
    (rest = '') => `unexpected arguments ${listed(rest.split(', ').map((one) => JSON.stringify(one)))}`,
  ],
]

/** The lines of oclif's text in this program's words. */
function reworded(text: string): string {
  // A note about repeatable flags follows the arguments.
  const [body = ''] = text.split(/\n(?:See more help with|\s*Note: )/)
  const lines = body
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^The following errors? occurred:$/.test(line))
  if (/^Missing \d+ required args?:?$/.test(lines[0] ?? '')) {
    const names = lines.slice(1).map((line) => line.split(/\s/)[0]?.toUpperCase() ?? '')
    return `missing argument${names.length === 1 ? '' : 's'} ${listed(names)}`
  }
  const missing = lines.flatMap((line) => /^Missing required flag (\S+)$/.exec(line)?.[1] ?? [])
  const flags = listed(missing.map((flag) => `--${flag}`))
  const others = lines.filter((line) => !line.startsWith('Missing required flag')).map(rewordedLine)
  return (
    [
      ...(missing.length === 0 ? [] : [`missing required flag${missing.length === 1 ? '' : 's'} ${flags}`]),
      ...others,
    ].join(', and ') || 'wrong usage'
  )
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

function rewordedLine(line: string): string {
  for (const [pattern, words] of REWORDED) {
    const match = pattern.exec(line)
    if (match !== null) return words(...match.slice(1))
  }
  return line
}
