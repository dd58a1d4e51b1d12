import {attachedTo} from '@airgap-mirror/oci-client/model'
import {tagMatcher, type TagPatterns} from './tag-patterns.js'
import {inRange, newestFirst, versionOf, withoutMoving, type TagVersion} from './tag-version.js'

/** Which tags of a repository. Without `glob`, `regex`, `semver` and `newest` it chooses `exact` alone, or all. */
export interface TagFilter extends TagPatterns {
  /** Chosen even if the other members say otherwise. */
  readonly exact?: readonly string[]
  /** npm's ranges, on tags that are versions: `>=1.30 <2 || 3.x`. */
  readonly semver?: string
  /** True if 1.2.3-rc.1 and 1.2.3-alpine count as versions. Absent: they do if glob or regex asks for such names. */
  readonly prereleases?: boolean
  /**
   * This number of the highest versions among the tags that are left; 1.27 does not count beside 1.27.1, for which it
   * may stand.
   */
  readonly newest?: number
  readonly exclude?: TagPatterns
}

/**
 * The tags that a filter chooses, in the order they are given. Tags under which cosign keeps what belongs to an image are
 * never chosen but by name: they come along with their image.
 * @throws {Error} for an invalid expression or range: job files are checked for them
 */
export function chooseTags(tags: readonly string[], filter: TagFilter): readonly string[] {
  const exact = new Set(filter.exact ?? [])
  const chosen = narrows(filter) ? new Set(narrowed(tags, filter)) : exact
  return tags.filter((tag) => exact.has(tag) || chosen.has(tag))
}

/** Returns true if the repository's tags have to be listed. Exact names alone need no listing. */
export function narrows({exact, glob, regex, semver, newest}: TagFilter): boolean {
  return exact === undefined || [glob, regex, semver, newest].some((part) => part !== undefined)
}

function narrowed(tags: readonly string[], filter: TagFilter): readonly string[] {
  const {glob, regex, semver, newest, exclude} = filter
  const isPattern = glob !== undefined || regex !== undefined
  const prereleases = filter.prereleases ?? isPattern
  const inGlob = glob === undefined ? undefined : tagMatcher({glob})
  const inRegex = regex === undefined ? undefined : tagMatcher({regex})
  const isExcluded = exclude === undefined ? undefined : tagMatcher(exclude)
  const left = tags.filter(
    (tag) =>
      attachedTo(tag) === undefined &&
      inGlob?.(tag) !== false &&
      inRegex?.(tag) !== false &&
      isExcluded?.(tag) !== true,
  )
  if (semver === undefined && newest === undefined) return left
  const versions = left.map(versionOf).filter((version) => version !== undefined)
  const passes: (version: TagVersion) => boolean =
    semver === undefined
      ? ({version}) => prereleases || version.prerelease.length === 0
      : inRange(semver, {prereleases})
  const passing = versions.filter(passes)
  const kept = newest === undefined ? passing : withoutMoving(passing).toSorted(newestFirst).slice(0, newest)
  return kept.map(({tag}) => tag)
}
