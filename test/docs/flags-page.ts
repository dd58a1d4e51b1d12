import {commandFlags, type ProgramFlag} from './program-flags.js'

const INTRODUCTION = `# Flags

Made from the flags of the commands in \`packages/cli/src/commands\`. Do not edit it: change those, then run
\`npx vitest run test/docs.test.ts -u\`.

A flag that not every command has says which ones have it. Every flag can be set in the environment instead, under the
name that is given with it. A flag wins over its variable, and over that of its counterpart. A switch is set with \`true\`,
\`1\`, \`yes\` or \`on\`, and unset with \`false\`, \`0\`, \`no\` or \`off\`; anything else is an error. A flag that can be repeated
takes one value a line.

SIZE is bytes, or \`64MiB\` and \`64M\` (both 2^20), or \`4GB\` (10^9). RATE is a SIZE a second. DURATION is \`30s\`, \`5m\`,
\`1h\`. A LIST is a file of references, one a line, or \`-\` for standard input.
`

/** In the order in which a reader meets them. */
const GROUPS = [
  '',
  'REGISTRY',
  'SOURCE REGISTRIES',
  'NAMING',
  'CHOOSING',
  'READING',
  'WRITING',
  'WHAT NODES ARE TOLD',
  'UNATTENDED RUNS',
  'STATE',
  'OUTPUT',
] as const

const TITLES: Readonly<Record<string, string>> = {
  '': 'What to carry',
  REGISTRY: 'The private registry',
  'SOURCE REGISTRIES': 'The registries that images come from',
  'WHAT NODES ARE TOLD': 'What nodes are told',
  'UNATTENDED RUNS': 'Unattended runs',
  STATE: 'State',
  NAMING: 'Names in the registry',
  CHOOSING: 'Which images',
  READING: 'Reading the bundle',
  WRITING: 'Writing the bundle',
  OUTPUT: 'Output',
  SERVING: 'Serving',
  TRIALS: 'Trials',
}

/** A flag as some commands have it. */
interface Entry {
  readonly name: string
  readonly flag: ProgramFlag
  readonly commands: string[]
}

/** docs/flags.md, as the built program has it. */
export async function flagsPage(): Promise<string> {
  const commands = await commandFlags()
  const entries = new Map<string, Entry>()
  for (const [command, flags] of commands) {
    for (const [name, flag] of Object.entries(flags)) {
      const key = JSON.stringify([name, flag.helpGroup, flag.description, flag.required])
      const entry = entries.get(key)
      if (entry === undefined) entries.set(key, {name, flag, commands: [command]})
      else entry.commands.push(command)
    }
  }
  const all = [...entries.values()]
  const groups = new Set([...GROUPS, ...all.map(({flag}) => flag.helpGroup ?? '')])
  const sections = [...groups].map((group) => {
    const own = all.filter(({flag: {helpGroup = ''}}) => helpGroup === group)
    const title = TITLES[group]
    if (title === undefined) throw new Error(`the group ${group} of flags has no title`)
    return `## ${title}\n\n${own.map((entry) => item(entry, commands.size)).join('\n')}\n`
  })
  return [INTRODUCTION, ...sections].join('\n')
}

function item({name, flag, commands}: Entry, all: number): string {
  const {helpValue, multiple = false, required = false} = flag
  const description = flag.description.replace(/ \[env: \w+\]$/, '')
  const [, text = description, initial] = /^(.*?)\s*\[default: (.*)\]$/.exec(description) ?? []
  const remarks = [
    ...(commands.length === all ? [] : [`Of ${commands.map((command) => `\`${command}\``).join(' and ')}.`]),
    ...(required ? ['Required.'] : []),
    ...(initial === undefined ? [] : [`Default: ${initial}.`]),
    ...(multiple && !text.includes('repeatable') ? ['Repeatable.'] : []),
    `Environment: \`MIRROR_${name.toUpperCase().replaceAll('-', '_')}\`.`,
  ]
  const usage = helpValue === undefined ? `--${name}` : `--${name} ${helpValue}`
  return `- \`${usage}\`: ${text}. ${remarks.join(' ')}`
}
