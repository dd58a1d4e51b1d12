import {nameOnly, type ImageName} from './image-name.js'
import {findEntry, matchedLength, type PullSource} from './pull-sources.js'
import type {Entry} from './registries.js'

/** Sentences about rules that people expect to apply to the name, and that do not. */
export function sourceWarnings(
  sources: readonly PullSource[],
  {
    name,
    entry,
    entries,
  }: {readonly name: ImageName; readonly entry: Entry; readonly entries: readonly Entry[]},
): readonly string[] {
  return [
    ...sources.flatMap((source) => ofEndpoint(source, entries)),
    ...skippedMirrors(sources, {name, entry}),
    ...deadPrefixes(name, entries),
    ...shorterPrefixes(name, {entry, entries}),
  ]
}

function ofEndpoint({endpoint, name, mirror}: PullSource, entries: readonly Entry[]): readonly string[] {
  if (mirror === undefined) return []
  const warnings: string[] = []
  const [first] = name.path.split('/')
  if (first === 'v2')
    warnings.push(
      `${endpoint.at}: "/v2" in the location becomes part of the repository; the path of the API is added by itself`,
    )
  const other = findEntry(entries, nameOnly(name))
  if (other?.own.insecure === true && !endpoint.insecure)
    warnings.push(
      `${other.at}: insecure of [${other.prefix}] does not apply to the mirror; it must be set at ${endpoint.at}`,
    )
  return warnings
}

function skippedMirrors(
  sources: readonly PullSource[],
  {name, entry}: {readonly name: ImageName; readonly entry: Entry},
): readonly string[] {
  const used = new Set(sources.map(({endpoint}) => endpoint))
  const kind = name.digest === undefined ? 'a tag' : 'a digest'
  return entry.mirrors
    .filter((mirror) => !used.has(mirror))
    .map((mirror) => `${mirror.at}: ${mirror.location} is not asked for ${kind}`)
}

function deadPrefixes(name: ImageName, entries: readonly Entry[]): readonly string[] {
  const repository = nameOnly(name)
  return entries
    .filter(({prefix}) => prefix.startsWith(`${repository}:`) || prefix.startsWith(`${repository}@`))
    .map(({prefix, at}) => `${at}: [${prefix}] never matches because the prefix has a tag or a digest`)
}

function shorterPrefixes(
  name: ImageName,
  {entry, entries}: {readonly entry: Entry; readonly entries: readonly Entry[]},
): readonly string[] {
  return entries
    .filter((other) => other !== entry && (other.mirrors.length > 0 || other.blocked))
    .filter(({prefix}) => matchedLength(nameOnly(name), prefix) !== undefined)
    .map(
      ({prefix, at}) =>
        `${at}: [${prefix}] does not apply because [${entry.prefix}] is more specific; nothing is inherited`,
    )
}
