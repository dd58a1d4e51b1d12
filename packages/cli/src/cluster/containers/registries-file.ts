import {readToml} from '../toml/read-toml.js'
import type {TomlDocument, TomlTable} from '../toml/toml-document.js'
import {readAliases} from './aliases.js'
import {checkEntries, checkMode, checkSearched, type RawEndpoint, type RawEntry} from './check-registries.js'
import type {Alias, Entry, ShortNameMode} from './registries.js'
import {readOldForm} from './registries-old-form.js'
import {fieldsOf, type Fields} from './toml-fields.js'

/** A file of registries.conf(5). */
export interface RegistriesFile {
  readonly path: string
  /** Checked, with only the first of several entries with one prefix, sorted by prefix. */
  readonly entries: readonly Entry[]
  readonly search: readonly string[] | undefined
  readonly credentialHelpers: readonly string[] | undefined
  readonly shortNameMode: ShortNameMode | undefined
  readonly aliases: ReadonlyMap<string, Alias>
  readonly warnings: readonly string[]
}

/**
 * Reads and checks one file as containers/image does. One wrong entry makes the file invalid, and then no image can be pulled.
 * @param isDropIn refuses the old form, version 1
 * @throws {Error} worded as containers/image does
 */
export function parseRegistriesFile(
  text: string,
  {path, isDropIn}: {readonly path: string; readonly isDropIn: boolean},
): RegistriesFile {
  const reading = readToml(text)
  if (reading.document === undefined)
    throw new Error(`toml: line ${reading.fault.line}: ${reading.fault.message}`)
  const warnings: string[] = []
  const at = (line: number): string => `${path}:${line}`
  const root = fieldsOf(reading.document.root, {key: ''})
  refuseLoneMirror(reading.document, at)
  const tables = root.tables('registry')
  const raw = (tables ?? []).map(({table, line}) => readEntry(table, {line, at, warnings}))
  const search = root.texts('unqualified-search-registries')
  const helpers = root.texts('credential-helpers')
  const mode = root.text('short-name-mode') ?? ''
  const aliases = root.table('aliases')
  const layerHelper = root.text('additional-layer-store-auth-helper') ?? ''
  const old = readOldForm(root.table('registries'), {at})
  for (const {name, line} of root.unread()) warnings.push(`${at(line)}: ${name} is unknown and ignored`)
  if (old !== undefined) {
    if (isDropIn) throw new Error('registry must be in v2 format but is in v1')
    const isMixed = tables ?? search ?? helpers ?? aliases ?? (mode + layerHelper === '' ? undefined : mode)
    if (isMixed !== undefined) throw new Error('mixing sysregistry v1/v2 is not supported')
  }
  const entries = checkEntries(old?.entries ?? raw, {warnings})
  const searched = (old?.search ?? search)?.map(checkSearched)
  return {
    path,
    entries,
    aliases: readAliases(aliases, {at}),
    warnings,
    search: searched,
    credentialHelpers: helpers,
    shortNameMode: mode === '' ? undefined : checkMode(mode),
  }
}

/**
 * `[[registry.mirror]]` before any `[[registry]]` makes `registry` a table of its own, and the decoder records no line
 * for it.
 */
function refuseLoneMirror({root, headers}: TomlDocument, at: (line: number) => string): void {
  const isTable = root.table('registry') !== undefined
  const first = headers.find(({path}) => path[0] === 'registry')
  if (!isTable || first === undefined || first.path.length === 1) return
  const mismatch = 'incompatible types: TOML value has type map[string]any; destination has type slice'
  const reason = `[[${first.path.join('.')}]] at ${at(first.line)} has no [[registry]] before it`
  throw new Error(`toml: (last key "registry"): ${mismatch}: ${reason}`)
}

interface ReadEntry {
  readonly line: number
  readonly at: (line: number) => string
  readonly warnings: string[]
}

function readEntry(table: TomlTable, {line, at, warnings}: ReadEntry): RawEntry {
  const fields = fieldsOf(table, {key: 'registry'})
  const mirrors = (fields.tables('mirror') ?? []).map((mirror) => readMirror(mirror, {at, warnings}))
  const insecure = fields.boolean('insecure') ?? false
  const entry: RawEntry = {
    prefix: fields.text('prefix') ?? '',
    own: {location: fields.text('location') ?? '', insecure, pull: 'all', at: at(line)},
    mirrors,
    blocked: fields.boolean('blocked') ?? false,
    digestOnly: fields.boolean('mirror-by-digest-only') ?? false,
    at: at(line),
    pullOfOwn: fields.text('pull-from-mirror') ?? '',
  }
  warnUnread(fields, {table: '[[registry]]', at, warnings})
  return entry
}

const OF_REGISTRY = new Set(['blocked', 'prefix', 'mirror-by-digest-only'])

function readMirror(
  {table, line}: {readonly table: TomlTable; readonly line: number},
  {at, warnings}: Omit<ReadEntry, 'line'>,
): RawEndpoint {
  const fields = fieldsOf(table, {key: 'registry.mirror'})
  const endpoint = {
    location: fields.text('location') ?? '',
    insecure: fields.boolean('insecure') ?? false,
    pull: fields.text('pull-from-mirror') ?? '',
    at: at(line),
  }
  if (endpoint.location.endsWith('/'))
    warnings.push(
      `${endpoint.at}: podman 4.3 and skopeo 1.9 do not cut the slash at the end of ${endpoint.location}, and then refuse every image that the mirror is for`,
    )
  warnUnread(fields, {table: '[[registry.mirror]]', at, warnings})
  return endpoint
}

function warnUnread(
  fields: Fields,
  {table, at, warnings}: {readonly table: string; readonly at: ReadEntry['at']; readonly warnings: string[]},
): void {
  for (const {name, line} of fields.unread()) {
    const misplaced = table === '[[registry.mirror]]' && OF_REGISTRY.has(name)
    const reason = misplaced
      ? 'because it stands below [[registry.mirror]]; it belongs between [[registry]] and the first mirror'
      : 'because the key is unknown there'
    warnings.push(`${at(line)}: ${name} in ${table} is ignored ${reason}`)
  }
}
