/**
 * Returns a member's path without leading `/` or `./`, empty components and `.`; `..` goes up inside the archive. Empty
 * for the archive's root.
 * @returns undefined if the path leaves the archive
 */
export function cleanPath(path: string): string | undefined {
  const components: string[] = []
  for (const component of path.split('/')) {
    if (component === '' || component === '.') continue
    if (component !== '..') components.push(component)
    else if (components.pop() === undefined) return undefined
  }
  return components.join('/')
}

/** Returns the directory of a clean path; empty for the root. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}
