import {dirname, join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {mirrorProgram} from '@airgap-mirror/test/kit'

/** What the program's help says of a flag: what the documentation needs of it. */
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
  const file = join(dirname(mirrorProgram()), '..', 'dist', 'settings', 'flags.js')
  const built = (await import(pathToFileURL(file).href)) as Readonly<
    Record<string, Readonly<Record<string, ProgramFlag>>>
  >
  return new Map(Object.entries(built).map(([name, flags]) => [name.replace(/Flags$/, ''), flags]))
}

/** All flags by name, whatever command has them. */
export async function programFlags(): Promise<ReadonlyMap<string, ProgramFlag>> {
  return new Map([...(await commandFlags()).values()].flatMap((flags) => Object.entries(flags)))
}
