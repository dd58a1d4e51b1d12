import type {CommandEntry} from '../command-entry.js'
import {bashCompletion} from './bash.js'
import {fishCompletion} from './fish.js'
import {zshCompletion} from './zsh.js'

const scripts = {bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion}

export type Shell = keyof typeof scripts

/** The shells that have a completion script. */
export const shells = Object.keys(scripts) as readonly Shell[]

/** The completion script for a shell: static text, made from the table of commands. */
export function completionScript(shell: Shell, commands: readonly CommandEntry[]): string {
  return scripts[shell](commands)
}
