import {
  formatReference,
  isDigest,
  isMirrorError,
  parseReference,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {globMatcher} from './globs.js'
import {mapKeysOf, referenceKey, type Nameable, type NamingRules} from './naming.js'

/** Choices and rules that no image has met: a slip, more often than not. */
export interface Unused {
  readonly include: readonly string[]
  readonly rewrites: readonly string[]
  /** Sources that a map names. */
  readonly map: readonly string[]
}

export function unusedIn(
  images: readonly Nameable[],
  {rules, include}: {readonly rules: NamingRules; readonly include: readonly string[]},
): Unused {
  const labels = images.map(({name, shownAs}) =>
    name === undefined ? (shownAs ?? '') : formatReference(name),
  )
  return {
    include: include.filter((glob) => !labels.some(globMatcher({include: [glob], exclude: []}))),
    rewrites: unusedRewrites(images, rules),
    map: unusedKeys(images, rules),
  }
}

/** Rules apply in order, each to the result of the rules before it. */
function unusedRewrites(images: readonly Nameable[], {rewrites, mapHost}: NamingRules): readonly string[] {
  const used = new Set<string>()
  for (const {name} of images) {
    if (name === undefined) continue
    let path = mapHost === 'keep' ? `${name.registry}/${name.repository}` : name.repository
    for (const rule of rewrites) {
      const next = rule.apply(path)
      if (next !== path) used.add(rule.text)
      path = next
    }
  }
  return rewrites.flatMap(({text}) => (used.has(text) ? [] : [text]))
}

function unusedKeys(images: readonly Nameable[], {map}: NamingRules): readonly string[] {
  const known = new Set(images.flatMap(mapKeysOf))
  // A map has each source as it was written and as a full reference: one of them is enough.
  const full = [...map.keys()].map((key) => ({key, name: fullKey(key) ?? key}))
  const used = new Set(full.flatMap(({key, name}) => (known.has(key) || known.has(name) ? [name] : [])))
  return [...new Set(full.map(({name}) => name))].filter((name) => !used.has(name))
}

function fullKey(key: string): string | undefined {
  // It would parse as the repository `sha256`.
  if (isDigest(key)) return undefined
  try {
    return referenceKey(parseReference(key))
  } catch (error) {
    if (isMirrorError(error)) return undefined
    throw error
  }
}

/** The names among `known` that have the path and the tag of a reference, and another host. */
export function elsewhere(reference: Reference, known: readonly Reference[]): Reference | undefined {
  const wanted = referenceKey({...reference, registry: 'host'})
  return known.find((name) => referenceKey({...name, registry: 'host'}) === wanted)
}
