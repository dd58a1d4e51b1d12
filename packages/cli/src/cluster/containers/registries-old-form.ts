import type {TomlTable} from '../toml/toml-document.js'
import {parseLocation} from './check-registries.js'
import type {Entry} from './registries.js'
import {fieldsOf} from './toml-fields.js'

export interface OldForm {
  readonly entries: readonly Entry[]
  readonly search: readonly string[] | undefined
}

/**
 * Reads version 1: `[registries.search]`, `[registries.insecure]` and `[registries.block]`, as entries of version 2.
 * Returns undefined if none of the three has a list, even an empty one.
 * @throws {Error} worded as containers/image does
 */
export function readOldForm(
  registries: TomlTable | undefined,
  {at}: {readonly at: (line: number) => string},
): OldForm | undefined {
  if (registries === undefined) return undefined
  const sections = fieldsOf(registries, {key: 'registries'})
  const listOf = (name: string): {readonly hosts: readonly string[]; readonly line: number} | undefined => {
    const table = sections.table(name)
    const hosts = table && fieldsOf(table, {key: `registries.${name}`}).texts('registries')
    return hosts === undefined ? undefined : {hosts, line: table?.get('registries')?.line ?? 1}
  }
  const search = listOf('search')?.hosts
  const insecure = listOf('insecure')
  const blocked = listOf('block')
  if (search === undefined && insecure === undefined && blocked === undefined) return undefined
  const entries = new Map<string, Entry>()
  const add = (
    host: string,
    {line, ...flags}: {readonly line: number; readonly insecure?: true; readonly blocked?: true},
  ): void => {
    const location = parseLocation(host)
    const earlier = entries.get(location)
    const place = earlier?.at ?? at(line)
    entries.set(location, {
      prefix: location,
      own: {
        location,
        insecure: flags.insecure ?? earlier?.own.insecure ?? false,
        pull: 'all',
        at: place,
      },
      mirrors: [],
      blocked: flags.blocked ?? earlier?.blocked ?? false,
      digestOnly: false,
      at: place,
    })
  }
  for (const host of blocked?.hosts ?? []) add(host, {line: blocked?.line ?? 1, blocked: true})
  for (const host of insecure?.hosts ?? []) add(host, {line: insecure?.line ?? 1, insecure: true})
  return {entries: [...entries.values()], search}
}
