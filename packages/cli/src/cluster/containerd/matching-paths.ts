import type {NodeFiles} from '../files/node-files.js'

/** The files that a path of `imports` names: itself, or what matches its wildcards, as Go's filepath.Glob has them. */
export function matchingPaths(files: NodeFiles, pattern: string): readonly string[] {
  if (!pattern.includes('*')) return [pattern]
  const parts = pattern.split('/')
  return files.paths.filter((path) => {
    const names = path.split('/')
    return names.length === parts.length && names.every((name, index) => matches(name, parts[index] ?? ''))
  })
}

function matches(name: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, String.raw`\$&`)
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]')
  try {
    return new RegExp(`^${source}$`).test(name)
  } catch {
    return false
  }
}
