import {boolean, custom, string} from '@oclif/core/flags'
import {environment} from './environment.js'

/** `MIRROR_FLAG_NAME`, by which every flag can be set in the environment. */
const env = (flag: string): string => `MIRROR_${flag.toUpperCase().replaceAll('-', '_')}`

interface FlagText {
  readonly description: string
  readonly helpGroup?: string
  readonly helpValue?: string
}

export const text = (flag: string, options: FlagText & {required?: boolean; options?: string[]}) =>
  string({env: env(flag), ...options})

export const toggle = (flag: string, options: FlagText & {exclusive?: string[]}) =>
  boolean({env: env(flag), ...options})

/** A flag that may be repeated; in the environment one value a line. */
export const repeated = (flag: string, options: FlagText) =>
  custom({
    ...options,
    multiple: true,
    default: async () => (environment()[env(flag)] ?? '').split('\n').filter((line) => line.trim() !== ''),
    defaultHelp: async () => undefined,
    noCacheDefault: true,
  })()
