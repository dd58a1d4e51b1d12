import {isTomlList, TomlTable, type TomlNode, type TomlValue} from '../toml/toml-document.js'

/** The table that is read, for messages as BurntSushi/toml words them. */
export interface FieldPlace {
  /** `registry.mirror`; empty at the top. */
  readonly key: string
}

export interface Fields {
  text(name: string): string | undefined
  boolean(name: string): boolean | undefined
  texts(name: string): readonly string[] | undefined
  tables(name: string): readonly {readonly table: TomlTable; readonly line: number}[] | undefined
  table(name: string): TomlTable | undefined
  /** Keys that were not asked for. */
  unread(): readonly {readonly name: string; readonly line: number}[]
}

/**
 * Reads a table as a Go struct is filled: by the exact key or else regardless of case, unknown keys ignored.
 * @throws {Error} for a value of another type, worded as BurntSushi/toml does
 */
export function fieldsOf(table: TomlTable, {key}: FieldPlace): Fields {
  const read = new Set<string>()
  const find = (name: string): {readonly node: TomlNode; readonly path: string} | undefined => {
    const written = table.entries.has(name)
      ? name
      : [...table.entries.keys()].find((candidate) => candidate.toLowerCase() === name)
    const node = written === undefined ? undefined : table.get(written)
    if (written === undefined || node === undefined) return undefined
    read.add(written)
    return {node, path: key === '' ? written : `${key}.${written}`}
  }
  return {
    text: (name) => {
      const found = find(name)
      if (found === undefined) return undefined
      const {value} = found.node
      if (typeof value === 'string') return value
      throw mismatch(found, 'string')
    },
    boolean: (name) => {
      const found = find(name)
      if (found === undefined) return undefined
      const {value} = found.node
      if (typeof value === 'boolean') return value
      throw mismatch(found, 'boolean')
    },
    texts: (name) => {
      const found = find(name)
      if (found === undefined) return undefined
      return listIn(found).map((node) => {
        if (typeof node.value === 'string') return node.value
        throw mismatch({node, path: found.path}, 'string')
      })
    },
    tables: (name) => {
      const found = find(name)
      if (found === undefined) return undefined
      return listIn(found).map((node) => {
        if (node.value instanceof TomlTable) return {table: node.value, line: node.line}
        throw located(
          {node, path: found.path},
          `type mismatch: expected table but found ${typeName(node.value)}`,
        )
      })
    },
    table: (name) => {
      const found = find(name)
      if (found === undefined) return undefined
      const {value} = found.node
      if (value instanceof TomlTable) return value
      throw mismatch(found, 'map')
    },
    unread: () =>
      [...table.entries].filter(([name]) => !read.has(name)).map(([name, {line}]) => ({name, line})),
  }
}

interface Found {
  readonly node: TomlNode
  readonly path: string
}

function listIn(found: Found): readonly TomlNode[] {
  const {value} = found.node
  if (isTomlList(value)) return value
  throw mismatch(found, 'slice')
}

function mismatch(found: Found, wanted: string): Error {
  const has = typeName(found.node.value)
  return located(found, `incompatible types: TOML value has type ${has}; destination has type ${wanted}`)
}

function located({node, path}: Found, message: string): Error {
  return new Error(`toml: line ${node.line} (last key ${JSON.stringify(path)}): ${message}`)
}

function typeName(value: TomlValue): string {
  if (value instanceof TomlTable) return 'map[string]any'
  if (isTomlList(value)) {
    return value.length > 0 && value.every((item) => item.value instanceof TomlTable)
      ? '[]map[string]any'
      : '[]any'
  }
  if (value instanceof Date) return 'time.Time'
  const names: Readonly<Record<string, string>> = {bigint: 'int64', number: 'float64', boolean: 'bool'}
  return names[typeof value] ?? 'string'
}
