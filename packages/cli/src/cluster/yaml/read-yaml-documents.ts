import {limits, messageOf} from '@airgap-mirror/oci-client/model'
import * as yaml from 'yaml'
import type {YamlNode} from './yaml-node.js'

export type YamlReading =
  | {readonly documents: readonly YamlNode[]; readonly fault?: undefined}
  | {readonly documents?: undefined; readonly fault: {readonly line: number; readonly message: string}}

interface Building {
  /** The node of each anchor so far; a later anchor of the same name replaces it. */
  readonly anchors: Map<string, unknown>
  readonly lineAt: (offset: number | undefined) => number
  /** Nodes made so far: aliases repeat them. */
  count: number
}

class TooMany extends Error {}

/** Reads all documents of a file, with lines, as go-yaml does: a repeated key is no error. */
export function readYamlDocuments(text: string): YamlReading {
  const lines = new yaml.LineCounter()
  const lineAt = (offset: number | undefined): number => Math.max(1, lines.linePos(offset ?? 0).line)
  try {
    const parsed = yaml.parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      merge: true,
      schema: 'failsafe',
    })
    const documents: readonly yaml.Document.Parsed[] = Array.isArray(parsed) ? parsed : []
    const [error] = documents.flatMap((document) => document.errors)
    if (error !== undefined) return {fault: {line: lineAt(error.pos[0]), message: plainMessage(error)}}
    const building: Building = {lineAt, count: 0, anchors: new Map()}
    return {
      documents: documents.map((document) => {
        building.anchors.clear()
        return build(document.contents, building, 0)
      }),
    }
  } catch (error) {
    if (error instanceof TooMany || error instanceof RangeError || error instanceof ReferenceError)
      return {fault: {line: 1, message: messageOf(error)}}
    throw error
  }
}

/** The message of the parser without the text that it quotes: a password may be written there. */
function plainMessage({message}: yaml.YAMLError): string {
  return message.replace(/(extra characters|escape sequence).*$/s, '$1')
}

function build(node: unknown, at: Building, depth: number): YamlNode {
  at.count += 1
  if (at.count > limits.yamlNodes || depth > limits.jsonDepth)
    throw new TooMany('it is nested too deeply, or its aliases multiply too often')
  if (yaml.isAlias(node)) {
    const target = at.anchors.get(node.source)
    if (target === undefined) throw new ReferenceError('an alias (*) names an anchor (&) that is not there')
    return build(target, at, depth + 1)
  }
  if (yaml.isNode(node) && node.anchor !== undefined) at.anchors.set(node.anchor, node)
  const line = at.lineAt(yaml.isNode(node) ? node.range?.[0] : undefined)
  if (yaml.isMap(node)) return {kind: 'map', line, entries: entriesOf(node, at, depth)}
  if (yaml.isSeq(node)) {
    return {kind: 'list', line, items: node.items.map((item) => build(item, at, depth + 1))}
  }
  if (!yaml.isScalar(node)) return {kind: 'scalar', line, text: '', isQuoted: false}
  return {
    kind: 'scalar',
    line,
    text: scalarText(node),
    isQuoted: node.type !== 'PLAIN' && node.type !== undefined,
  }
}

function entriesOf(
  map: yaml.YAMLMap,
  at: Building,
  depth: number,
): ReadonlyMap<string, {readonly line: number; readonly value: YamlNode}> {
  const merged = new Map<string, {line: number; value: YamlNode}>()
  const own = new Map<string, {line: number; value: YamlNode}>()
  for (const {key, value} of map.items) {
    const name = yaml.isScalar(key) ? scalarText(key) : ''
    const line = at.lineAt(yaml.isNode(key) ? key.range?.[0] : undefined)
    const built = build(value, at, depth + 1)
    const isMerge = name === '<<' && yaml.isScalar(key) && (key.type === 'PLAIN' || key.type === undefined)
    if (!isMerge) own.set(name, {line, value: built})
    else {
      for (const source of built.kind === 'list' ? built.items.toReversed() : [built])
        if (source.kind === 'map') for (const [inner, entry] of source.entries) merged.set(inner, entry)
    }
  }
  return new Map([...merged, ...own])
}

function scalarText(scalar: yaml.Scalar): string {
  return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? '')
}
