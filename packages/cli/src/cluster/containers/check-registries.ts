import {byBytes} from '../files/node-files.js'
import {isDomain} from './image-name.js'
import type {Endpoint, Entry, ShortNameMode} from './registries.js'

/** A place as written. */
export interface RawEndpoint extends Omit<Endpoint, 'pull'> {
  /** `pull-from-mirror`; empty if it is not set. */
  readonly pull: string
}

/** An entry as written, before it is checked and completed. */
export interface RawEntry extends Omit<Entry, 'mirrors'> {
  readonly mirrors: readonly RawEndpoint[]
  /** `pull-from-mirror` where it does not belong. */
  readonly pullOfOwn?: string
}

/**
 * Checks all entries of a file, in the order of containers/image. Returns the first of each prefix, sorted by prefix.
 * @throws {Error} worded as containers/image does
 */
export function checkEntries(
  raw: readonly RawEntry[],
  {warnings}: {readonly warnings: string[]},
): readonly Entry[] {
  const entries = raw.map(checkEntry)
  checkConflicts(entries)
  const first = new Map<string, Entry>()
  for (const entry of entries) {
    const earlier = first.get(entry.prefix)
    if (earlier === undefined) first.set(entry.prefix, entry)
    else
      warnings.push(
        `${entry.at}: this [[registry]] is ignored because ${earlier.at} has the same prefix ${entry.prefix}`,
      )
  }
  for (const {prefix} of entries) {
    if (prefix.startsWith('*.') && /[/@:]/.test(prefix))
      throw new Error(
        `Wildcarded prefix should be in the format: *.example.com. Current prefix ${JSON.stringify(prefix)} is incorrectly formatted`,
      )
  }
  return [...first.values()].sort((left, right) => byBytes(left.prefix, right.prefix))
}

function checkEntry({pullOfOwn = '', ...raw}: RawEntry): Entry {
  const location = parseLocation(raw.own.location)
  if (raw.prefix === '' && location === '')
    throw new Error('invalid condition: both location and prefix are unset')
  const prefix = raw.prefix === '' ? location : parseLocation(raw.prefix)
  if (location === '' && !prefix.startsWith('*.'))
    throw new Error('invalid condition: location is unset and prefix is not in the format: *.example.com')
  if (pullOfOwn !== '')
    throw new Error(`pull-from-mirror must not be set for a non-mirror registry ${JSON.stringify(prefix)}`)
  const mirrors = raw.mirrors.map((mirror) => checkMirror(mirror, {prefix, digestOnly: raw.digestOnly}))
  return {...raw, prefix, own: {...raw.own, location}, mirrors}
}

function checkMirror(
  mirror: RawEndpoint,
  {prefix, digestOnly}: {readonly prefix: string; readonly digestOnly: boolean},
): Endpoint {
  const location = parseLocation(mirror.location)
  if (location === '') throw new Error('invalid condition: mirror location is unset')
  const {pull} = mirror
  if (digestOnly && pull !== '')
    throw new Error(
      `cannot set mirror usage mirror-by-digest-only for the registry (${JSON.stringify(prefix)}) and pull-from-mirror for per-mirror (${JSON.stringify(location)}) at the same time`,
    )
  const known = PULLS.find((each) => each === (pull === '' ? 'all' : pull))
  if (known === undefined)
    throw new Error(
      `unsupported pull-from-mirror value ${JSON.stringify(pull)} for mirror ${JSON.stringify(location)}`,
    )
  return {...mirror, location, pull: known}
}

const PULLS: readonly Endpoint['pull'][] = ['all', 'digest-only', 'tag-only']

/** No place can be secure and insecure, or blocked and not blocked. */
function checkConflicts(entries: readonly Entry[]): void {
  const first = new Map<string, Entry>()
  for (const entry of entries) {
    const key = entry.own.location === '' ? entry.prefix : entry.own.location
    const other = first.get(key) ?? entry
    first.set(key, other)
    const isInsecure = entry.own.insecure !== other.own.insecure
    if (isInsecure || entry.blocked !== other.blocked) {
      const setting = isInsecure ? 'insecure' : 'blocked'
      throw new Error(
        `registry '${entry.own.location}' is defined multiple times with conflicting '${setting}' setting`,
      )
    }
  }
}

/** @throws {Error} for a scheme */
export function parseLocation(text: string): string {
  const trimmed = text.replace(/\/+$/, '')
  if (/^https?:\/\//.test(trimmed))
    throw new Error(`invalid location '${text}': URI schemes are not supported`)
  return trimmed
}

/** @throws {Error} if it is not `host[:port]` */
export function checkSearched(text: string): string {
  const location = parseLocation(text)
  if (isDomain(location)) return location
  throw new Error(`Invalid unqualified-search-registries entry ${JSON.stringify(location)}`)
}

/** @throws {Error} */
export function checkMode(text: string): ShortNameMode {
  if (text === 'permissive' || text === 'enforcing' || text === 'disabled') return text
  throw new Error(`invalid short-name mode: ${JSON.stringify(text)}`)
}
