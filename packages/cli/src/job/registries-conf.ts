import {
  formatReference,
  isDigest,
  messageOf,
  MirrorError,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {nameOnly, type ImageName} from '../cluster/containers/image-name.js'
import {entryOfItself, findEntry, pullSources} from '../cluster/containers/pull-sources.js'
import type {Entry} from '../cluster/containers/registries.js'
import {parseRegistriesFile} from '../cluster/containers/registries-file.js'
import {distinctPlaces, type MirrorPlace, type SourceMirrors} from './source-mirrors.js'

/**
 * Reads containers-registries.conf(5): the entry with the longest prefix of a name counts; its mirrors come first, its location
 * last. Short names and their aliases do not matter here: references in lists are full.
 * @throws {MirrorError} CONFIG_INVALID
 */
export function parseRegistriesConf(text: string, {name}: {readonly name: string}): SourceMirrors {
  let entries: readonly Entry[]
  try {
    ;({entries} = parseRegistriesFile(text, {path: name, isDropIn: false}))
  } catch (cause) {
    throw new MirrorError('CONFIG_INVALID', `${name}: ${messageOf(cause)}`, {cause})
  }
  if (entries.length === 0) {
    throw new MirrorError('CONFIG_INVALID', `${name} is TOML without a [[registry]]: it names no mirror`)
  }
  return mirrorsOf(entries, name)
}

/** The places that entries of a registries.conf lead to. */
export function mirrorsOf(entries: readonly Entry[], file: string): SourceMirrors {
  return {
    mirrorsFor: (reference) => placesFor(reference, {entries, file}),
    settingsFor: () => undefined,
  }
}

function placesFor(
  reference: Reference,
  {entries, file}: {readonly entries: readonly Entry[]; readonly file: string},
): readonly MirrorPlace[] {
  const name = nameOf(reference)
  const places: MirrorPlace[] = []
  let blocked: Entry | undefined
  for (const {endpoint, name: place} of sourcesOf(name, {entries, file})) {
    const blocking = findEntry(entries, nameOnly(place))
    if (blocking?.blocked === true) blocked = blocking
    else places.push({reference: referenceOf(place), insecure: endpoint.insecure ? true : undefined})
  }
  if (places.length > 0 || blocked === undefined) return distinctPlaces(places)
  const text = `${formatReference(reference)} is blocked: ${blocked.at} says so of ${blocked.prefix}`
  throw new MirrorError('DENIED', text, {side: 'source'})
}

function sourcesOf(
  name: ImageName,
  {entries, file}: {readonly entries: readonly Entry[]; readonly file: string},
): ReturnType<typeof pullSources> {
  try {
    return pullSources(findEntry(entries, nameOnly(name)) ?? entryOfItself(name), name)
  } catch (cause) {
    throw new MirrorError('CONFIG_INVALID', `${file}: ${nameOnly(name)}: ${messageOf(cause)}`, {cause})
  }
}

function nameOf({registry, repository, tag, digest}: Reference): ImageName {
  return {
    domain: registry,
    path: repository,
    tag,
    digest,
  }
}

function referenceOf({domain, path, tag, digest}: ImageName): Reference {
  return {
    registry: domain,
    repository: path,
    tag,
    digest: digest !== undefined && isDigest(digest) ? digest : undefined,
  }
}
