/** A value of a YAML document and the line on which it is written, from 1. */
export type YamlNode = YamlMap | YamlList | YamlScalar

interface YamlMap {
  readonly kind: 'map'
  readonly line: number
  /** In the order of the file; of a repeated key the last value. */
  readonly entries: ReadonlyMap<string, {readonly line: number; readonly value: YamlNode}>
}

interface YamlList {
  readonly kind: 'list'
  readonly line: number
  readonly items: readonly YamlNode[]
}

interface YamlScalar {
  readonly kind: 'scalar'
  readonly line: number
  readonly text: string
  /** In quotes or as a block: never a number, a boolean or null. */
  readonly isQuoted: boolean
}

/** The value of a key; absent if there is none, or if it is null. */
export function valueAt(node: YamlNode | undefined, ...keys: readonly string[]): YamlNode | undefined {
  let found = node
  for (const key of keys) found = found?.kind === 'map' ? found.entries.get(key)?.value : undefined
  return found === undefined || isNull(found) ? undefined : found
}

/** The text of a scalar; absent for null, lists and maps. */
export function textOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === 'scalar' && !isNull(node) ? node.text : undefined
}

function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && !node.isQuoted && /^(?:~|null|Null|NULL|)$/.test(node.text)
}

/** A boolean as YAML 1.1 writes it, which go-yaml accepts; absent if it is none. */
export function booleanOf(node: YamlNode | undefined): boolean | undefined {
  if (node?.kind !== 'scalar' || node.isQuoted) return undefined
  if (/^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(node.text)) return true
  return /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(node.text) ? false : undefined
}

/** Maps as objects, lists as arrays, every scalar as its text. */
export function plainValue(node: YamlNode): unknown {
  if (node.kind === 'scalar') return node.text
  if (node.kind === 'list') return node.items.map(plainValue)
  return Object.fromEntries([...node.entries].map(([key, {value}]) => [key, plainValue(value)]))
}
