import type {Path, Problems} from '../problems.js'

export type Values = Readonly<Record<string, unknown>>

/** Keys and values; noted as a problem where it is something else. An empty value has none. */
export function recordAt(value: unknown, path: Path, problems: Problems): Values {
  if (value === null || value === '' || value === undefined) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as Values
  problems.add(path, 'has to have keys and values')
  return {}
}

export function textAt(value: unknown, path: Path, problems: Problems): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  problems.add(path, 'has to be text')
  return undefined
}

/** A list of texts; an empty value has none. */
export function listAt(value: unknown, path: Path, problems: Problems): readonly string[] {
  if (value === null || value === '' || value === undefined) return []
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
  if (value === null || value === '' || value === undefined) return []
  if (!Array.isArray(value)) {
    problems.add(path, 'has to be a list')
    return []
  }
  return (value as readonly unknown[]).map((item, index) => ({
    values: recordAt(item, [...path, index], problems),
    path: [...path, index],
  }))
}
