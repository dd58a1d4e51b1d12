import {formatName, nameOnly, parseNormalizedName, type ImageName} from './image-name.js'
import type {Endpoint, Entry} from './registries.js'

export interface PullSource {
  readonly endpoint: Endpoint
  readonly name: ImageName
  /** From 1; undefined for the own location. */
  readonly mirror?: number
}

/**
 * Returns how much of the text the prefix covers, or undefined if it does not match. A match ends at `/`, `:`, `@` or the
 * end, so a prefix without a port also covers the same host with a port. `*.x` covers any depth of sub-domains, not `x`.
 */
export function matchedLength(text: string, prefix: string): number | undefined {
  const covered = prefix.startsWith('*.') ? wildcardLength(text, prefix.slice(1)) : plainLength(text, prefix)
  if (covered === undefined) return undefined
  return covered === text.length || '/:@'.includes(text.charAt(covered)) ? covered : undefined
}

function plainLength(text: string, prefix: string): number | undefined {
  return text.startsWith(prefix) ? prefix.length : undefined
}

function wildcardLength(text: string, suffix: string): number | undefined {
  const index = text.indexOf(suffix)
  return index < 0 || text.slice(0, index).includes('/') ? undefined : index + suffix.length
}

/** The entry with the longest prefix; the first of several equal ones. Nothing is inherited from shorter prefixes. */
export function findEntry(entries: readonly Entry[], name: string): Entry | undefined {
  let found: Entry | undefined
  for (const entry of entries) {
    const longer = found === undefined || entry.prefix.length > found.prefix.length
    if (longer && matchedLength(name, entry.prefix) !== undefined) found = entry
  }
  return found
}

/** The mirrors that are used for the name, in order, then always the own location of the entry. */
function endpointsFor(entry: Entry, name: ImageName): readonly Omit<PullSource, 'name'>[] {
  const byDigest = name.digest !== undefined
  const mirrors = entry.mirrors
    .map((endpoint, index) => ({endpoint, mirror: index + 1}))
    .filter(({endpoint: {pull}}) => {
      if (entry.digestOnly) return byDigest
      return pull === 'all' || (pull === 'digest-only') === byDigest
    })
  return [...mirrors, {endpoint: entry.own}]
}

/**
 * Returns the name at the endpoint: its location and the rest of the name after the prefix.
 * @throws {Error} worded as containers/image does, if the result is not a full name
 */
function rewrite(
  name: ImageName,
  {endpoint, prefix}: {readonly endpoint: Endpoint; readonly prefix: string},
): ImageName {
  if (endpoint.location === '') return name
  const text = formatName(name)
  const rewritten = endpoint.location + text.slice(matchedLength(text, prefix) ?? 0)
  let parsed: ImageName
  try {
    parsed = parseNormalizedName(rewritten)
  } catch (error) {
    throw new Error(`rewriting reference: ${error instanceof Error ? error.message : ''}`, {cause: error})
  }
  if (formatName(parsed) !== rewritten)
    throw new Error('rewriting reference: repository name must be canonical')
  return parsed
}

/**
 * Returns every place a pull of the name asks, in order.
 * @throws {Error} if one of them is not a valid name: then containers/image asks none of them
 */
export function pullSources(entry: Entry, name: ImageName): readonly PullSource[] {
  const place = (source: Omit<PullSource, 'name'>): PullSource => ({
    ...source,
    name: rewrite(name, {endpoint: source.endpoint, prefix: entry.prefix}),
  })
  return endpointsFor(entry, name).map(place)
}

/** The `[[registry]]` that containers/image makes up for a name that no entry matches. */
export function entryOfItself(name: ImageName): Entry {
  const location = nameOnly(name)
  return {
    prefix: location,
    own: {location, insecure: false, pull: 'all', at: ''},
    mirrors: [],
    blocked: false,
    digestOnly: false,
    at: '',
  }
}
