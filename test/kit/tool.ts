import {accessSync, constants} from 'node:fs'
import {delimiter, join} from 'node:path'

/** Returns the place of a program on PATH. */
export function findTool(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find(isExecutable)
}

/** Returns true if tests that need these must be skipped; false in CI, because a missing tool must fail them. */
export function lacksTool(...names: readonly string[]): boolean {
  return process.env['CI'] === undefined && missing(names).length > 0
}

/** First line of a test that needs these programs: skips it with the reason, and fails it in CI. */
export function requireTool(
  context: {readonly skip: (note?: string) => unknown},
  ...names: readonly string[]
): void {
  const absent = missing(names)
  if (absent.length === 0) return
  const reason = `not installed: ${absent.join(', ')}`
  if (process.env['CI'] !== undefined) throw new Error(`${reason}; in CI it has to be`)
  context.skip(reason)
}

function missing(names: readonly string[]): readonly string[] {
  return names.filter((name) => findTool(name) === undefined)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
