import {boolean, custom, string} from './oclif-definitions.js'
import {meaningOf, type RegistryWords, type SharedSetting} from '../job/shared-settings.js'
import {variableText, variableTruth} from './variables.js'

interface FlagText {
  /** Ends in `[default: …]` if there is one. Help adds the variable. */
  readonly description: string
  readonly helpGroup?: string
  readonly helpValue?: string
  /** Values that completion offers, if the flag takes others, too. */
  readonly suggestions?: readonly string[]
}

/** The flags the user typed, as oclif passes them to a default. */
interface Typed {
  readonly flags: Readonly<Record<string, unknown>>
}

export function text(
  flag: string,
  {exclusive = [], ...options}: FlagText & {required?: boolean; options?: string[]; exclusive?: string[]},
) {
  return string({
    ...options,
    ...common,
    exclusive,
    default: async ({flags}: Typed) =>
      isTyped(exclusive, flags) ? undefined : variableText(flag, options.options),
  })
}

export function toggle(flag: string, {exclusive = [], ...options}: FlagText & {exclusive?: string[]}) {
  return boolean({
    ...options,
    exclusive,
    default: async ({flags}: Typed) => !isTyped(exclusive, flags) && variableTruth(flag),
  })
}

/** A flag that may be repeated; in the environment one value a line. */
export function repeated(flag: string, {exclusive = [], ...options}: FlagText & {exclusive?: string[]}) {
  return custom({
    ...options,
    ...common,
    exclusive,
    multiple: true,
    // Each use takes a single value, because an argument may follow it.
    multipleNonGreedy: true,
    default: async ({flags}: Typed) =>
      isTyped(exclusive, flags)
        ? []
        : (variableText(flag) ?? '').split('\n').filter((line) => line.trim() !== ''),
  })()
}

interface FlagPlace {
  readonly helpGroup: string
  /** Ends the description as `[default: …]`. */
  readonly initial?: string | number
  /** The prefix of the side: `source-` or nothing. */
  readonly prefix?: string
  readonly words?: RegistryWords
}

/** A flag with a value, or a switch if the setting names none. */
export type SharedFlag<Setting> = Setting extends {readonly value: string}
  ? ReturnType<typeof text>
  : ReturnType<typeof toggle>

/** The flag of a setting that a job file may have, too. */
export function sharedFlag<Setting extends SharedSetting>(
  name: string,
  setting: Setting,
  place: FlagPlace,
): SharedFlag<Setting> {
  const {value: helpValue, values} = setting
  const {prefix = '', helpGroup} = place
  const description = flagText(setting, place)
  const flag =
    helpValue === undefined
      ? toggle(prefix + name, {description, helpGroup})
      : text(prefix + name, {description, helpValue, helpGroup, options: values && [...values]})
  return flag as SharedFlag<Setting>
}

/** A flag of such a setting that may be repeated. */
export function repeatedFlag(name: string, setting: SharedSetting, place: FlagPlace) {
  const {value: helpValue} = setting
  return repeated(name, {description: flagText(setting, place), helpValue, helpGroup: place.helpGroup})
}

function flagText(setting: SharedSetting, {prefix = '', words = THE_REGISTRY, initial}: FlagPlace): string {
  const more = setting.onCommandLine?.replaceAll('PREFIX', prefix)
  return (
    meaningOf(setting, words) +
    (more === undefined ? '' : `; ${more}`) +
    (initial === undefined ? '' : ` [default: ${initial}]`)
  )
}

const THE_REGISTRY: RegistryWords = {registry: 'registry', transfers: 'transfers', counted: 'connections'}

/** A value that comes from a variable is a default to oclif: flags that were typed win over those of its counterparts. */
const common = {defaultHelp: async () => undefined, noCacheDefault: true}

function isTyped(names: readonly string[], flags: Readonly<Record<string, unknown>>): boolean {
  return names.some((name) => flags[name] !== undefined)
}
