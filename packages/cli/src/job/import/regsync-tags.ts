import type {Path, Problems} from '../problems.js'
import type {RawTagFilter} from '../raw-job.js'
import {checkExpression, tagMatcher} from '../tag-patterns.js'
import {checkRange} from '../tag-version.js'
import {literal, said} from './draft.js'
import {listAt, recordAt, recordsAt, type Values} from './read-values.js'
import {translateRange} from './translate-range.js'

/**
 * regsync's `tags` and `tagSets`: a range, then expressions that match all of a tag, then those that must not; several are a
 * union. An expression that is a plain name becomes a name.
 * @returns undefined for all tags
 */
export function regsyncTags(
  entry: Values,
  path: Path,
  problems: Problems,
): readonly (string | RawTagFilter)[] | undefined {
  const single = {values: recordAt(entry['tags'], [...path, 'tags'], problems), path: [...path, 'tags']}
  const sets = [single, ...recordsAt(entry['tagSets'], [...path, 'tagSets'], problems)].flatMap((set) => {
    const filter = readSet(set.values, set.path, problems)
    return filter === undefined ? [] : [filter]
  })
  const chosen = sets.flatMap((filter): readonly (string | RawTagFilter)[] =>
    Object.keys(filter).length === 1 && Array.isArray(filter.exact) ? (filter.exact as string[]) : [filter],
  )
  return chosen.length === 0 ? undefined : chosen
}

function readSet(set: Values, path: Path, problems: Problems): RawTagFilter | undefined {
  const expressions = (key: string): readonly string[] => {
    const found = listAt(set[key], [...path, key], problems)
    for (const [index, one] of found.entries())
      problems.attempt([...path, key, index], () => checkExpression(one))
    return problems.has(path) ? [] : found
  }
  const allow = expressions('allow')
  const deny = expressions('deny').map(anchored)
  const ranges = listAt(set['semverRange'], [...path, 'semverRange'], problems)
  if (allow.length === 0 && deny.length === 0 && ranges.length === 0) return undefined
  const semver = ranges.map((range) => translateRange(range)?.semver ?? range).join(' || ')
  if (semver !== '') problems.attempt([...path, 'semverRange'], () => checkRange(semver))
  // A name is taken even if the rest says otherwise: if there is a range, or if it is denied, it has to stay an expression.
  const isDenied = safely(() => tagMatcher({regex: deny})) ?? (() => true)
  const isName = (text: string): boolean => semver === '' && /^\w[\w.-]*$/.test(text) && !isDenied(text)
  const regex = allow.filter((one) => !isName(one)).map(anchored)
  return said({
    exact: allow.filter(isName),
    regex: regex.map(literal),
    semver: semver === '' ? undefined : semver,
    // its ranges compare pre-releases like any other version
    prereleases: semver === '' || regex.length > 0 ? undefined : true,
    exclude: deny.length === 0 ? undefined : {regex: deny.map(literal)},
  })
}

function anchored(expression: string): string {
  return `^${expression}$`
}

function safely<Result>(run: () => Result): Result | undefined {
  try {
    return run()
  } catch {
    // the expression has been noted as a problem
    return undefined
  }
}
