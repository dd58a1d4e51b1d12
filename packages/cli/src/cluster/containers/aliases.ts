import {messageOf} from '@airgap-mirror/oci-client/model'
import type {TomlTable} from '../toml/toml-document.js'
import {nameOnly, parseNormalizedName, parseRawName} from './image-name.js'
import type {Alias} from './registries.js'
import {fieldsOf} from './toml-fields.js'

/**
 * Reads `[aliases]`: full names for short ones. An empty value resets an alias of an earlier file.
 * @throws {Error} worded as containers/image does, for a wrong name on either side
 */
export function readAliases(
  table: TomlTable | undefined,
  {at}: {readonly at: (line: number) => string},
): ReadonlyMap<string, Alias> {
  const aliases = new Map<string, Alias>()
  if (table === undefined) return aliases
  const fields = fieldsOf(table, {key: 'aliases'})
  for (const [name, {line}] of table.entries) {
    const value = fields.text(name) ?? ''
    try {
      checkShortName(name)
      aliases.set(name, value === '' ? {at: at(line)} : {target: fullName(value), at: at(line)})
    } catch (cause) {
      throw new Error(`validating short-name aliases: ${messageOf(cause)}`, {cause})
    }
  }
  return aliases
}

/** Returns true if the first component is a host: it has a dot or a port, or is `localhost`. */
export function isHost(domain: string | undefined): boolean {
  return domain !== undefined && (/[.:]/.test(domain) || domain === 'localhost')
}

function checkShortName(name: string): void {
  const {domain, tag, digest} = parseRawName(name)
  const shown = JSON.stringify(name)
  if (digest !== undefined) throw new Error(`invalid short name ${shown}: must not contain digest`)
  if (tag !== undefined) throw new Error(`invalid short name ${shown}: must not contain tag`)
  if (isHost(domain)) throw new Error(`invalid short name ${shown}: must not contain registry`)
}

function fullName(value: string): string {
  const {domain, tag, digest} = parseRawName(value)
  const shown = JSON.stringify(value)
  if (digest !== undefined) throw new Error(`invalid alias ${shown}: must not contain digest`)
  if (tag !== undefined) throw new Error(`invalid alias ${shown}: must not contain tag`)
  if (!isHost(domain)) throw new Error(`invalid alias ${shown}: must contain registry and repository`)
  return nameOnly(parseNormalizedName(value))
}
