import type {Path, Problems} from '../problems.js'

export type Values = Readonly<Record<string, unknown>>

/** The ways in which YAML says nothing, where every scalar is read as its text. */
function isNothing(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    (typeof value === 'string' && /^(?:|~|null|Null|NULL)$/.test(value))
  )
}

/** A boolean in the words of YAML 1.1, which Go's readers take; noted as a problem if it is something else. */
export function booleanAt(value: unknown, path: Path, problems: Problems): boolean | undefined {
  const text = textAt(value, path, problems)?.toLowerCase()
  if (text === undefined) return undefined
  if (['true', 'yes', 'on', 'y'].includes(text)) return true
  if (['false', 'no', 'off', 'n'].includes(text)) return false
  problems.add(path, 'has to be true or false')
  return undefined
}

/** Keys and values; noted as a problem if it is something else. An empty value has none. */
export function recordAt(value: unknown, path: Path, problems: Problems): Values {
  if (isNothing(value)) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as Values
  problems.add(path, 'has to have keys and values')
  return {}
}

export function textAt(value: unknown, path: Path, problems: Problems): string | undefined {
  if (isNothing(value)) return undefined
  if (typeof value === 'string') return value
  problems.add(path, 'has to be text')
  return undefined
}

/** A list of texts; an empty value has none. */
export function listAt(value: unknown, path: Path, problems: Problems): readonly string[] {
  if (isNothing(value)) return []
  if (!Array.isArray(value)) {
    problems.add(path, 'has to be a list')
    return []
  }
  return (value as readonly unknown[]).flatMap((item, index) => {
    const text = textAt(item, [...path, index], problems)
    return text === undefined ? [] : [text]
  })
}

/** The items of a list of keys and values, with their paths. */
export function recordsAt(
  value: unknown,
  path: Path,
  problems: Problems,
): readonly {readonly values: Values; readonly path: Path}[] {
  if (isNothing(value)) return []
  if (!Array.isArray(value)) {
    problems.add(path, 'has to be a list')
    return []
  }
  return (value as readonly unknown[]).map((item, index) => ({
    values: recordAt(item, [...path, index], problems),
    path: [...path, index],
  }))
}
