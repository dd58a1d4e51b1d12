import {boolean, custom, string} from '@oclif/core/flags'
import {environment} from './environment.js'

/** `MIRROR_FLAG_NAME`, by which every flag can be set in the environment. */
function env(flag: string): string {
  return `MIRROR_${flag.toUpperCase().replaceAll('-', '_')}`
}

interface FlagText {
  readonly description: string
  readonly helpGroup?: string
  readonly helpValue?: string
}

export function text(flag: string, options: FlagText & {required?: boolean; options?: string[]}) {
  return string({env: env(flag), ...options})
}

export function toggle(flag: string, options: FlagText & {exclusive?: string[]}) {
  return boolean({env: env(flag), ...options})
}

/** A flag that may be repeated; in the environment one value a line. */
export function repeated(flag: string, options: FlagText) {
  return custom({
    ...options,
    multiple: true,
    default: async () => (environment()[env(flag)] ?? '').split('\n').filter((line) => line.trim() !== ''),
    defaultHelp: async () => undefined,
    noCacheDefault: true,
  })()
}
