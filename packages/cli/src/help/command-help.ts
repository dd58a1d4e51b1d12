import type {CommandEntry, FlagEntry} from './command-entry.js'
import {byGroup, headingOf} from './flag-groups.js'
import {filled, pasteable} from './lines.js'

const INDENT = '  '
const DEEP = '      '

/**
 * The help of a command at 80 columns: required flags first, then the flags that most runs need, or all of them in groups.
 * @param options.all every flag
 */
export function commandHelp(command: CommandEntry, {all}: {readonly all: boolean}): string {
  const {name, summary, description, aliases, arguments: args, flags, common, examples} = command
  const required = flags.filter((flag) => flag.required)
  const rest = flags.filter((flag) => !flag.required)
  const hasMore = rest.length > common.length
  const blocks: (readonly string[])[] = [
    [...filled(summary, ''), ...(description === '' ? [] : ['', ...filled(description, '')])],
    ['Usage:', ...pasteable(usage(command), INDENT), ...aliases.map((alias) => `${INDENT}mirror ${alias} …`)],
  ]
  if (args.length > 0)
    blocks.push(['Arguments:', ...args.flatMap(({name: argument, text}) => item(argument, text))])
  if (required.length > 0) blocks.push(['Required flags:', ...required.flatMap(flagItem)])
  if (all || !hasMore) {
    const groups = byGroup(rest)
    for (const [group, own] of groups)
      blocks.push([groups.length === 1 ? 'Flags:' : `${headingOf(group)}:`, ...own.flatMap(flagItem)])
  } else {
    blocks.push(['Flags that most runs need:', ...common.flatMap(flagItem)])
    blocks.push([`All ${flags.length} flags: mirror ${name} --help --all, docs/flags.md`])
  }
  if (examples.length > 0)
    blocks.push(['Examples:', ...examples.flatMap((example) => pasteable(example, INDENT))])
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

/** The command line with its arguments and required flags. */
export function usage({name, arguments: args, flags}: CommandEntry): string {
  const required = flags.filter((flag) => flag.required).map(signature)
  const hasMore = flags.some((flag) => !flag.required)
  return [
    `mirror ${name}`,
    ...args.map((argument) => argument.name),
    ...required,
    ...(hasMore ? ['[flags]'] : []),
  ].join(' ')
}

/** `--name VALUE`. */
function signature({name, value}: FlagEntry): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`
}

/** Description, default and variable of a flag, in one paragraph. */
function flagText({text, initial, repeatable, variable}: FlagEntry): string {
  return [
    text,
    ...(repeatable && !text.includes('repeatable') ? ['(repeatable)'] : []),
    ...(initial === undefined ? [] : [`[default: ${initial}]`]),
    `[env: ${variable}]`,
  ].join(' ')
}

function flagItem(flag: FlagEntry): readonly string[] {
  return item(signature(flag), flagText(flag))
}

function item(head: string, text: string): readonly string[] {
  return [`${INDENT}${head}`, ...filled(text, DEEP)]
}
