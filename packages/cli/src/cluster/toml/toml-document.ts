export type TomlValue = string | number | bigint | boolean | Date | readonly TomlNode[] | TomlTable

/** Returns true for a list: `Array.isArray` does not know one that is read-only. */
export function isTomlList(value: TomlValue | undefined): value is readonly TomlNode[] {
  return Array.isArray(value)
}

export interface TomlNode {
  readonly value: TomlValue
  /** The line of its key, from 1. */
  readonly line: number
}

/** A table; its keys are in the order of the file. */
export class TomlTable {
  readonly entries: ReadonlyMap<string, TomlNode>

  constructor(entries: ReadonlyMap<string, TomlNode>) {
    this.entries = entries
  }

  get(key: string): TomlNode | undefined {
    return this.entries.get(key)
  }

  /** The text of a key; absent if there is none or if it is another kind of value. */
  text(key: string): string | undefined {
    const value = this.get(key)?.value
    return typeof value === 'string' ? value : undefined
  }

  /** The table at a path of keys; absent if there is none. */
  table(...keys: readonly string[]): TomlTable | undefined {
    const [first, ...rest] = keys
    if (first === undefined) return this
    const value = this.get(first)?.value
    return value instanceof TomlTable ? value.table(...rest) : undefined
  }
}

export interface TomlDocument {
  readonly root: TomlTable
  /** The `[header]` lines in the order of the file. */
  readonly headers: readonly {readonly path: readonly string[]; readonly line: number}[]
}
