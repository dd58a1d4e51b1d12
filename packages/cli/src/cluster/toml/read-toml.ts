import {messageOf} from '@airgap-mirror/oci-client/model'
import {ParseError, parseTOML, type AST} from 'toml-eslint-parser'
import {isTomlList, TomlTable, type TomlDocument, type TomlNode, type TomlValue} from './toml-document.js'

export type TomlReading =
  | {readonly document: TomlDocument; readonly fault?: undefined}
  | {readonly document?: undefined; readonly fault: {readonly line: number; readonly message: string}}

/** Reads TOML 1.0, with the order and the lines of what is written. */
export function readToml(text: string): TomlReading {
  if (text.includes('\ufffd')) return {fault: {line: 1, message: 'it is not UTF-8'}}
  try {
    const [top] = parseTOML(text, {tomlVersion: '1.0'}).body
    const root = new Map<string, TomlNode>()
    const headers: {path: readonly string[]; line: number}[] = []
    for (const node of top.body) {
      if (node.type === 'TOMLTable') {
        headers.push({path: keysOf(node.key), line: node.loc.start.line})
        const table = enter(root, {
          keys: keysOf(node.key),
          line: node.loc.start.line,
          isItem: node.kind === 'array',
        })
        for (const pair of node.body) assign(table, pair)
      } else {
        assign(root, node)
      }
    }
    return {document: {root: new TomlTable(root), headers}}
  } catch (error) {
    if (error instanceof ParseError) return {fault: {line: error.lineNumber, message: error.message}}
    if (error instanceof RangeError)
      return {fault: {line: 1, message: `it cannot be read: ${messageOf(error)}`}}
    throw error
  }
}

type Entries = Map<string, TomlNode>

/** The entries of the table that a header names, made if they are not there yet. */
function enter(
  root: Entries,
  {keys, line, isItem}: {readonly keys: readonly string[]; readonly line: number; readonly isItem: boolean},
): Entries {
  let table = root
  for (const [index, key] of keys.entries()) {
    const isLast = index === keys.length - 1
    const present = table.get(key)?.value
    if (isLast && isItem) {
      const item: Entries = new Map()
      const node = {value: new TomlTable(item), line}
      if (Array.isArray(present)) (present as TomlNode[]).push(node)
      else table.set(key, {value: [node], line})
      return item
    }
    const found = isTomlList(present) ? present.at(-1)?.value : present
    if (found instanceof TomlTable) {
      table = found.entries as Entries
    } else {
      const made: Entries = new Map()
      table.set(key, {value: new TomlTable(made), line})
      table = made
    }
  }
  return table
}

function assign(table: Entries, pair: AST.TOMLKeyValue): void {
  const keys = keysOf(pair.key)
  const {line} = pair.loc.start
  const parent = keys.length > 1 ? enter(table, {keys: keys.slice(0, -1), line, isItem: false}) : table
  parent.set(keys.at(-1) ?? '', {value: valueOf(pair.value), line})
}

function valueOf(node: AST.TOMLContentNode): TomlValue {
  if (node.type === 'TOMLArray')
    return node.elements.map((element) => ({value: valueOf(element), line: element.loc.start.line}))
  if (node.type === 'TOMLValue') return node.kind === 'integer' ? node.bigint : node.value
  const entries: Entries = new Map()
  for (const pair of node.body) assign(entries, pair)
  return new TomlTable(entries)
}

function keysOf(key: AST.TOMLKey): readonly string[] {
  return key.keys.map((part) => (part.type === 'TOMLBare' ? part.name : part.value))
}
