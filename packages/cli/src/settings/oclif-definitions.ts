import type * as args from '@oclif/core/args'
import type * as flags from '@oclif/core/flags'

type Options = Readonly<Record<string, unknown>>

function option(defaults: Options = {}) {
  return (own: Options = {}): object => {
    const merged: Options = {parse: async (input: string) => input, ...defaults, ...own}
    return {...merged, input: [], multiple: merged['multiple'] === true, type: 'option'}
  }
}

function toggle(own: Options = {}): object {
  return {parse: async (value: boolean) => value, ...own, allowNo: false, type: 'boolean'}
}

// The plain data that oclif's functions return, and their types. Its modules of flags and arguments load help, templates
// and files with the table of commands, and the parser needs none of that.
export const custom = option as unknown as typeof flags.custom
export const string = option() as unknown as typeof flags.string
export const boolean = toggle as unknown as typeof flags.boolean
export const argument = option() as unknown as typeof args.string
