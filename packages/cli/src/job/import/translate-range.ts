import type {RawTagFilter} from '../raw-job.js'

/**
 * A range of Go's Masterminds/semver as a filter: commas there are blanks here, `!=` is an exclusion, `1.2-0` is 1.2.0-0, and
 * a range that names one pre-release lets all of them in.
 * @returns undefined if it cannot be said here
 */
export function translateRange(range: string): RawTagFilter | undefined {
  const excluded: string[] = []
  const kept = range
    .replaceAll(',', ' ')
    .replaceAll(/([<>=!~^]+)\s+/g, '$1')
    .replaceAll(/(?<=^|\s)!=(\S+)/g, (_whole, version: string) => {
      excluded.push(version.replace(/^v/i, ''))
      return ''
    })
    .replaceAll(/=([<>])/g, '$1=')
    .replaceAll(
      /(?<![\w.-])v?(\d+)(?:\.(\d+))?-(?=[0-9A-Za-z])/g,
      (_whole, major: string, minor = '0') => `${major}.${minor}.0-`,
    )
    .replaceAll(/\s+/g, ' ')
    .trim()
  const isWhole = excluded.every((version) => /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/.test(version))
  if (excluded.length > 0 && (!isWhole || range.includes('||'))) return undefined
  const exclude = excluded.flatMap((version) => [version, `v${version}`])
  return {
    semver: kept === '' ? '*' : kept,
    prereleases: /\d-[0-9A-Za-z]/.test(kept) ? true : undefined,
    exclude: exclude.length === 0 ? undefined : exclude,
  }
}
