import type {Path, Problems} from './problems.js'

export type Variables = Readonly<Record<string, string | undefined>>

export interface Expanded {
  readonly value: unknown
  /** Paths of texts that variables went into. Messages never show their values. */
  readonly secret: ReadonlySet<string>
}

export function pathKey(path: Path): string {
  return JSON.stringify(path)
}

/**
 * Puts the values of variables in place of `${NAME}` in every text, but not in keys, which are shown in messages; `$$` is one `$`, and a `$` before
 * anything else is itself, so that `$1` and `${1}` of a rewrite rule stay. A variable that is not set is a problem.
 */
export function expandVariables(value: unknown, variables: Variables, problems: Problems): Expanded {
  const secret = new Set<string>()
  const text = (written: string, path: Path): string =>
    written.replaceAll(VARIABLE, (whole, name: string | undefined, other: string | undefined) => {
      if (whole === '$$') return '$'
      if (other !== undefined) {
        if (/^[0-9]+$/.test(other)) return whole
        problems.add(path, 'only ${NAME} is replaced by a variable; for the text itself write $${')
        return whole
      }
      const found = variables[name ?? '']
      if (found === undefined) problems.add(path, `the environment variable ${name} is not set`)
      secret.add(pathKey(path))
      return found ?? whole
    })
  const walk = (node: unknown, path: Path): unknown => {
    if (typeof node === 'string') return text(node, path)
    if (Array.isArray(node)) return node.map((item, index) => walk(item, [...path, index]))
    if (typeof node !== 'object' || node === null) return node
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, walk(item, [...path, key])]))
  }
  return {value: walk(value, []), secret}
}

const VARIABLE = /\$\$|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)\}|([^}]*)\}?)/g
