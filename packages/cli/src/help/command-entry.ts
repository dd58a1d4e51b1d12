import {variableOf} from '../settings/variables.js'

/** A flag of a command, as help, completions and pages show it. */
export interface FlagEntry {
  /** Without dashes. */
  readonly name: string
  /** A placeholder such as FILE; absent: the flag takes no value. */
  readonly value?: string
  /** The values it takes, if they are few or if they begin others. */
  readonly choices: readonly string[]
  readonly text: string
  /** The value without the flag, in words. */
  readonly initial?: string
  readonly required: boolean
  readonly repeatable: boolean
  /** The name of its group; empty if it has none. */
  readonly group: string
  /** The environment variable that sets it. */
  readonly variable: string
}

interface ArgumentEntry {
  readonly name: string
  readonly text: string
  readonly choices: readonly string[]
}

/** A command, as plain data. */
export interface CommandEntry {
  /** As it is typed, such as `config emit`. */
  readonly name: string
  readonly aliases: readonly string[]
  readonly summary: string
  readonly description: string
  /** Command lines, each on one line. */
  readonly examples: readonly string[]
  readonly arguments: readonly ArgumentEntry[]
  /** In the order of their groups. */
  readonly flags: readonly FlagEntry[]
  /** The flags that short help shows in addition to the required ones. */
  readonly common: readonly FlagEntry[]
}

interface FlagDefinition {
  readonly type: 'boolean' | 'option'
  readonly description?: string
  readonly helpGroup?: string
  readonly helpValue?: string | readonly string[]
  readonly options?: readonly string[]
  readonly suggestions?: readonly string[]
  readonly required?: boolean
  readonly multiple?: boolean
}

interface ArgumentDefinition {
  readonly description?: string
  readonly options?: readonly string[]
}

/** The static fields of a command's class that are shown. */
export interface CommandDefinition {
  readonly summary?: string
  readonly description?: string
  readonly examples?: readonly unknown[]
  readonly aliases?: readonly string[]
  readonly args?: Readonly<Record<string, unknown>>
  readonly flags: Readonly<Record<string, unknown>>
  /** The flags most runs need. Absent: the first ones. */
  readonly common?: readonly string[]
}

/** Flags of short help, in addition to the required ones. */
export const MOST_COMMON = 10

/** Commands by id (`config:emit`) as entries, in their order. */
export function commandEntries(
  commands: Readonly<Record<string, CommandDefinition>>,
): readonly CommandEntry[] {
  return Object.entries(commands).map(([id, definition]) => commandEntry(id, definition))
}

function commandEntry(id: string, definition: CommandDefinition): CommandEntry {
  const {summary = '', description = '', examples = [], aliases = [], args = {}, flags} = definition
  const entries = inGroups(
    Object.entries(flags).map(([name, flag]) => flagEntry(name, flag as FlagDefinition)),
  )
  const optional = entries.filter(({required}) => !required)
  const named = definition.common?.flatMap((name) => optional.filter((flag) => flag.name === name))
  return {
    name: spaced(id),
    aliases: aliases.map(spaced),
    summary,
    description,
    examples: examples.filter((example) => typeof example === 'string'),
    arguments: Object.entries(args).map(([name, one]) => argumentEntry(name, one as ArgumentDefinition)),
    flags: entries,
    common: (named ?? optional).slice(0, MOST_COMMON),
  }
}

function flagEntry(name: string, flag: FlagDefinition): FlagEntry {
  const {type, description = '', helpGroup = '', helpValue, required = false, multiple = false} = flag
  const [, text = description, initial] = /^(.*?)\s*\[default: (.*)\]$/s.exec(description) ?? []
  const value = typeof helpValue === 'string' ? helpValue : type === 'option' ? 'VALUE' : undefined
  return {
    name,
    value: type === 'option' ? value : undefined,
    choices: flag.options ?? flag.suggestions ?? [],
    text,
    initial,
    required,
    repeatable: multiple,
    group: helpGroup,
    variable: variableOf(name),
  }
}

function argumentEntry(name: string, {description = '', options = []}: ArgumentDefinition): ArgumentEntry {
  return {name: name.toUpperCase(), text: description, choices: options}
}

/** The groups keep the order of their first flags; flags without a group come first. */
function inGroups(flags: readonly FlagEntry[]): readonly FlagEntry[] {
  const groups = ['', ...new Set(flags.map(({group}) => group))]
  return [...new Set(groups)].flatMap((group) => flags.filter((flag) => flag.group === group))
}

function spaced(id: string): string {
  return id.replaceAll(':', ' ')
}
