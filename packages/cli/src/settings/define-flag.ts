import {boolean, custom, string} from '@oclif/core/flags'
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

/** A value that comes from a variable is a default to oclif: flags that were typed win over those of its counterparts. */
const common = {defaultHelp: async () => undefined, noCacheDefault: true}

function isTyped(names: readonly string[], flags: Readonly<Record<string, unknown>>): boolean {
  return names.some((name) => flags[name] !== undefined)
}
