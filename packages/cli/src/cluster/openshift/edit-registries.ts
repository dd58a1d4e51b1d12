import type {Endpoint, Entry} from '../containers/registries.js'
import {mergeMirrors, type MergedMirrors} from './merge-mirrors.js'
import type {MirrorRule} from './mirror-rules.js'
import {isInScope} from './scopes.js'

export interface Scope {
  readonly text: string
  readonly at: string
}

interface EditableMirror extends Endpoint {
  insecure: boolean
}

interface EditableEntry {
  readonly scope: string
  readonly at: string
  mirrors: EditableMirror[]
  insecure: boolean
  blocked: boolean
}

/**
 * Returns the `[[registry]]` entries that the Machine Config Operator writes: those of the mirror rules, with the insecure and
 * blocked flags carried into nested scopes, and the mirrors into nested scopes that have none of their own.
 * @throws {Error} for a nested scope below a `*.` source, worded as the operator does
 */
export function editRegistries(
  rules: readonly MirrorRule[],
  {insecure, blocked}: {readonly insecure: readonly Scope[]; readonly blocked: readonly Scope[]},
): readonly Entry[] {
  const entries: EditableEntry[] = []
  const entryOf = (scope: string, at: string): EditableEntry => {
    const found = entries.find((entry) => entry.scope === scope)
    if (found !== undefined) return found
    const made = {scope, at, mirrors: [], insecure: false, blocked: false}
    entries.push(made)
    return made
  }
  const merged: MergedMirrors[] = []
  for (const pull of ['digest-only', 'tag-only'] as const) {
    const sets = mergeMirrors(rules.filter((rule) => rule.pull === pull))
    merged.push(...sets)
    for (const {source, mirrors, neverContactSource, at} of sets) {
      const entry = entryOf(source, at)
      if (neverContactSource) entry.blocked = true
      for (const {location, at: place} of mirrors)
        entry.mirrors.push({location, at: place, insecure: false, pull})
    }
  }
  for (const {text, at} of blocked) entryOf(text, at)
  for (const {text, at} of insecure) {
    entryOf(text, at).insecure = true
    for (const entry of entries) {
      if (isInScope(entry.scope, text)) entry.insecure = true
      for (const mirror of entry.mirrors) if (isInScope(mirror.location, text)) mirror.insecure = true
    }
  }
  for (const {text} of blocked)
    for (const entry of entries) if (isInScope(entry.scope, text)) entry.blocked = true
  for (const {source} of merged) copyToNested(entryOf(source, ''), entries)
  return entries.map(asEntry)
}

function copyToNested(outer: EditableEntry, entries: readonly EditableEntry[]): void {
  for (const entry of entries) {
    if (entry === outer || entry.mirrors.length > 0 || !isInScope(entry.scope, outer.scope)) continue
    if (outer.scope.startsWith('*.'))
      throw new Error(
        `internal error: mirrorsAdjustedForNestedScope for a wildcard scope ${JSON.stringify(outer.scope)}`,
      )
    const rest = entry.scope.slice(outer.scope.length)
    entry.mirrors = outer.mirrors.map((mirror) => ({...mirror, location: mirror.location + rest}))
  }
}

function asEntry({scope, at, mirrors, insecure, blocked}: EditableEntry): Entry {
  const location = scope.startsWith('*.') ? '' : scope
  return {
    prefix: scope,
    own: {location, insecure, pull: 'all', at},
    mirrors,
    blocked,
    digestOnly: false,
    at,
  }
}
