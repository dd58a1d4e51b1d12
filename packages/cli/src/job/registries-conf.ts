import {
  formatReference,
  messageOf,
  MirrorError,
  parseReference,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {collectProblems, type Path, type Problems} from './problems.js'
import {
  distinctPlaces,
  type MirrorPlace,
  type ParseMirrorsOptions,
  type SourceMirrors,
} from './source-mirrors.js'

interface Mirror {
  readonly location: string
  readonly insecure: boolean
  readonly pull: 'all' | 'digest-only' | 'tag-only'
}

interface Entry {
  /** `host[:port]`, and more of a reference, or `*.host`. */
  readonly prefix: string
  /** Absent: references stay as they are. */
  readonly location?: string
  readonly insecure: boolean
  readonly blocked: boolean
  readonly mirrors: readonly Mirror[]
}

/**
 * Reads containers-registries.conf(5), version 2: the entry with the longest prefix of a reference speaks for it; its mirrors
 * come first, its location last. Short names and their aliases do not matter here: references in lists are full.
 * @throws {MirrorError} CONFIG_INVALID
 */
export async function parseRegistriesConf(
  text: string,
  {name}: Pick<ParseMirrorsOptions, 'name'>,
): Promise<SourceMirrors> {
  const problems = collectProblems(name, () => undefined)
  const entries = readEntries(await parseToml(text, name), problems)
  problems.throwIfAny()
  return {
    mirrorsFor: (reference) => placesFor(reference, {entries, name}),
    settingsFor: () => undefined,
  }
}

function placesFor(
  reference: Reference,
  {entries, name}: {readonly entries: readonly Entry[]; readonly name: string},
): readonly MirrorPlace[] {
  const text = formatReference(reference)
  const [longest] = entries
    .map((entry) => ({entry, length: matchedLength(entry.prefix, reference)}))
    .filter(({length}) => length > 0)
    .toSorted((left, right) => right.length - left.length)
  if (longest === undefined) return [{reference}]
  const {entry, length} = longest
  if (entry.blocked) {
    throw new MirrorError('DENIED', `${text} is blocked: ${name} says so of ${entry.prefix}`, {
      side: 'source',
    })
  }
  const pulled = entry.mirrors.filter(
    ({pull}) => pull === 'all' || (pull === 'digest-only') === (reference.digest !== undefined),
  )
  const own = {location: entry.location ?? text.slice(0, length), insecure: entry.insecure}
  return distinctPlaces(
    [...pulled, own].map(({location, insecure}) => {
      const place = parseReference(location + text.slice(length))
      return insecure ? {reference: place, insecure} : {reference: place}
    }),
  )
}

/** How much of the reference the prefix speaks of: it ends where a component, a tag or a digest does. */
function matchedLength(prefix: string, reference: Reference): number {
  if (prefix.startsWith('*.')) {
    const host = reference.registry.replace(/:\d+$/, '')
    return host.endsWith(prefix.slice(1)) ? reference.registry.length : 0
  }
  const text = formatReference(reference)
  const ends = text.length === prefix.length || '/:@'.includes(text.charAt(prefix.length))
  return text.startsWith(prefix) && ends ? prefix.length : 0
}

type Table = Readonly<Record<string, unknown>>

async function parseToml(text: string, name: string): Promise<Table> {
  const {parse, TomlError} = await import('smol-toml')
  try {
    return parse(text)
  } catch (cause) {
    const [what = ''] = messageOf(cause).split('\n')
    const line = cause instanceof TomlError ? ` line ${cause.line}:` : ''
    throw new MirrorError('CONFIG_INVALID', `${name}:${line} ${what}`)
  }
}

function readEntries(table: Table, problems: Problems): readonly Entry[] {
  if (isTable(table['registries'])) {
    problems.add(['registries'], 'is the old form (version 1): write [[registry]] tables')
  }
  return tablesIn(table, ['registry'], problems).flatMap((entry, index): readonly Entry[] => {
    const path: Path = ['registry', index]
    const location = textIn(entry, [...path, 'location'], problems)
    const prefix = textIn(entry, [...path, 'prefix'], problems) ?? location
    if (prefix === undefined) {
      problems.add(path, 'has neither prefix nor location')
      return []
    }
    if (location !== undefined) checkLocation(location, [...path, 'location'], problems)
    const digestOnly = entry['mirror-by-digest-only'] === true
    const mirrors = tablesIn(entry, [...path, 'mirror'], problems).map((mirror, at) =>
      readMirror(mirror, {path: [...path, 'mirror', at], digestOnly, problems}),
    )
    const flags = {insecure: entry['insecure'] === true, blocked: entry['blocked'] === true}
    return [{prefix, mirrors, ...flags, ...(location === undefined ? {} : {location})}]
  })
}

function readMirror(
  mirror: Table,
  {
    path,
    digestOnly,
    problems,
  }: {readonly path: Path; readonly digestOnly: boolean; readonly problems: Problems},
): Mirror {
  const location = textIn(mirror, [...path, 'location'], problems)
  if (location === undefined) problems.add([...path, 'location'], 'is missing')
  else checkLocation(location, [...path, 'location'], problems)
  const pull = textIn(mirror, [...path, 'pull-from-mirror'], problems) ?? (digestOnly ? 'digest-only' : 'all')
  if (pull !== 'all' && pull !== 'digest-only' && pull !== 'tag-only')
    problems.add([...path, 'pull-from-mirror'], 'is not one of: all, digest-only, tag-only')
  return {
    location: location ?? '',
    insecure: mirror['insecure'] === true,
    pull: pull === 'digest-only' || pull === 'tag-only' ? pull : 'all',
  }
}

/** A location begins with a host that reads as one: `mirror/x` would be a repository of Docker Hub. */
function checkLocation(location: string, path: Path, problems: Problems): void {
  problems.attempt(path, () => {
    const {registry} = parseReference(location.includes('/') ? location : `${location}/image`)
    if (registry !== location.split('/')[0])
      throw new Error(`${JSON.stringify(location)} does not begin with HOST[:PORT]`)
  })
}

function textIn(table: Table, path: Path, problems: Problems): string | undefined {
  const value = table[String(path.at(-1))]
  if (value === undefined || value === '') return undefined
  if (typeof value === 'string') return value.replace(/\/+$/, '')
  problems.add(path, 'has to be text')
  return undefined
}

function tablesIn(table: Table, path: Path, problems: Problems): readonly Table[] {
  const value = table[String(path.at(-1))]
  if (value === undefined) return []
  if (Array.isArray(value) && value.every(isTable)) return value
  problems.add(path, 'has to be an array of tables')
  return []
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
