import {dirname, join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {mirrorProgram} from '@airgap-mirror/test/kit'

/** A flag in the program's help, with the parts that the documentation needs. */
export interface ProgramFlag {
  readonly type: 'boolean' | 'option'
  readonly description: string
  readonly helpGroup?: string
  readonly helpValue?: string
  readonly multiple?: boolean
  readonly required?: boolean
}

/** The flags of every command that has any of its own, out of the built program. */
export async function commandFlags(): Promise<ReadonlyMap<string, Readonly<Record<string, ProgramFlag>>>> {
  const file = join(dirname(mirrorProgram()), '..', 'dist', 'commands', 'index.js')
  const {commands} = (await import(pathToFileURL(file).href)) as {
    readonly commands: Readonly<Record<string, {readonly flags: Readonly<Record<string, ProgramFlag>>}>>
  }
  return new Map(Object.entries(commands).map(([name, {flags}]) => [name.replaceAll(':', ' '), flags]))
}

/** All flags by name, whatever command has them. */
export async function programFlags(): Promise<ReadonlyMap<string, ProgramFlag>> {
  return new Map([...(await commandFlags()).values()].flatMap((flags) => Object.entries(flags)))
}
