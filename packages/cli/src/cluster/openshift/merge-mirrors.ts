import {byBytes} from '../files/node-files.js'
import type {MirrorRule, RuleMirror} from './mirror-rules.js'

export interface MergedMirrors {
  readonly source: string
  readonly mirrors: readonly RuleMirror[]
  readonly neverContactSource: boolean
  /** The place of the first rule. */
  readonly at: string
}

/**
 * Merges the rules of one kind of pull into one list of mirrors for each source, sources sorted. The mirrors keep the
 * order of every rule if that is possible: a topological sort, the source after each rule's last mirror.
 */
export function mergeMirrors(rules: readonly MirrorRule[]): readonly MergedMirrors[] {
  const real = rules.filter(({source, mirrors}) => mirrors.some(({location}) => location !== source))
  const sources = new Set(real.map(({source}) => source))
  const groups = new Map<string, MirrorRule[]>([...sources].map((source) => [source, []]))
  for (const rule of real) groups.get(rule.source)?.push(rule)
  return [...sources].sort(byBytes).map((source) => {
    const group = groups.get(source) ?? []
    const places = new Map(
      group.flatMap(({mirrors}) => mirrors.map(({location, at}) => [location, at] as const)).toReversed(),
    )
    return {
      source,
      mirrors: sortedMirrors(group).map((location) => ({
        location,
        at: places.get(location) ?? group[0]?.at ?? '',
      })),
      neverContactSource: group.some((rule) => rule.neverContactSource),
      at: group[0]?.at ?? '',
    }
  })
}

interface Node {
  readonly before: Set<string>
  readonly after: Set<string>
}

function sortedMirrors(rules: readonly MirrorRule[]): readonly string[] {
  const graph = new Map<string, Node>()
  for (const {source, mirrors} of rules) {
    const chain = mirrors.map(({location}) => location)
    if (!chain.includes(source)) chain.push(source)
    for (const [index, from] of chain.slice(0, -1).entries()) addEdge(graph, from, chain[index + 1] ?? source)
  }
  const sorted = topologicalOrder(graph)
  return sorted.at(-1) === rules[0]?.source ? sorted.slice(0, -1) : sorted
}

function addEdge(graph: Map<string, Node>, from: string, to: string): void {
  for (const name of [from, to]) if (!graph.has(name)) graph.set(name, {before: new Set(), after: new Set()})
  graph.get(from)?.after.add(to)
  graph.get(to)?.before.add(from)
}

/** Kahn's algorithm with sorted batches; a cycle is broken at its first name in byte order. */
function topologicalOrder(graph: ReadonlyMap<string, Node>): readonly string[] {
  const names = [...graph.keys()].sort(byBytes)
  const queue = names.filter((name) => graph.get(name)?.before.size === 0)
  const rest = names[Symbol.iterator]()
  const used = new Set<string>()
  for (;;) {
    const next = queue.shift() ?? rest.next().value
    if (next === undefined) return [...used]
    if (used.has(next)) continue
    used.add(next)
    const freed: string[] = []
    for (const name of graph.get(next)?.after ?? []) {
      const before = graph.get(name)?.before
      before?.delete(next)
      if (before?.size === 0 && !used.has(name)) freed.push(name)
    }
    queue.push(...freed.sort(byBytes))
  }
}
