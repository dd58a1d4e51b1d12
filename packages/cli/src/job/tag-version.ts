import {createRequire} from 'node:module'
import type Range from 'semver/classes/range.js'
import type SemVer from 'semver/classes/semver.js'

/** A tag that is a version. */
export interface TagVersion {
  readonly tag: string
  readonly version: SemVer
  /** The number of parts that are written: major, minor, patch. */
  readonly parts: number
}

// Loaded when the first tag is compared: an import would cost every run some 20 ms, and most have no filters.
const require = createRequire(import.meta.url)
function semver(): {SemVer: typeof SemVer; Range: typeof Range} {
  return {
    SemVer: require('semver/classes/semver.js') as typeof SemVer,
    Range: require('semver/classes/range.js') as typeof Range,
  }
}

const VERSION =
  /^[vV]?(\d{1,15})(?:\.(\d{1,15}))?(?:\.(\d{1,15}))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:[_+]([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/

/**
 * Reads `1.2.3`, `v1.2.3-rc.1`, `1.2` (as 1.2.0), `24.04` (as 24.4.0), and Helm's `1.2.3_up4`, whose `_` stands for the `+`
 * that tags cannot have.
 */
export function versionOf(tag: string): TagVersion | undefined {
  const [match, major, minor, patch, prerelease, build] = VERSION.exec(tag) ?? []
  if (match === undefined) return undefined
  const numbers = [major, minor, patch].map((part) => Number(part ?? 0)).join('.')
  const before = prerelease?.replaceAll(/(?<=^|\.)0+(?=\d+(?:\.|$))/g, '')
  const text = `${numbers}${before === undefined ? '' : `-${before}`}${build === undefined ? '' : `+${build}`}`
  const parts = [major, minor, patch].filter((part) => part !== undefined).length
  return {tag, version: new (semver().SemVer)(text), parts}
}

/**
 * By precedence, build numbers last as Helm orders them, and digits in a part as numbers: rc10 is newer than rc9; of two names for one version the fuller one is newer, since the
 * other moves.
 */
export function newestFirst(left: TagVersion, right: TagVersion): number {
  return (
    right.version.compareMain(left.version) ||
    comparePrerelease(right.version.prerelease, left.version.prerelease) ||
    compareParts(right.version.build, left.version.build) ||
    right.parts - left.parts ||
    (left.tag < right.tag ? -1 : left.tag > right.tag ? 1 : 0)
  )
}

type Parts = readonly (string | number)[]

/** A version without a prerelease is newer (SemVer 11). */
function comparePrerelease(left: Parts, right: Parts): number {
  return left.length === 0 || right.length === 0 ? right.length - left.length : compareParts(left, right)
}

/** Part by part as SemVer 11.4 has it, numbers before names; runs of digits in a name compare as numbers, too. */
function compareParts(left: Parts, right: Parts): number {
  for (const [index, own] of left.entries()) {
    const other = right[index]
    if (other === undefined) return 1
    const order = comparePart(String(own), String(other))
    if (order !== 0) return order
  }
  return left.length - right.length
}

function comparePart(left: string, right: string): number {
  const [isNumber, isOther] = [/^\d+$/.test(left), /^\d+$/.test(right)]
  if (isNumber !== isOther) return isNumber ? -1 : 1
  const runs = left.match(/\d+|\D+/g) ?? []
  const others = right.match(/\d+|\D+/g) ?? []
  for (const [index, run] of runs.entries()) {
    const other = others[index]
    if (other === undefined) return 1
    const areNumbers = /^\d/.test(run) && /^\d/.test(other)
    const order = areNumbers ? Number(run) - Number(other) : run < other ? -1 : run > other ? 1 : 0
    if (order !== 0) return order
  }
  return runs.length - others.length
}

/** Leaves out names such as 1.27 if a fuller name such as 1.27.1 exists, because they move from version to version. */
export function withoutMoving(versions: readonly TagVersion[]): readonly TagVersion[] {
  const prefix = ({version}: TagVersion, parts: number): string =>
    [[version.major, version.minor].slice(0, parts).join('.'), ...version.prerelease].join('-')
  const shorter = versions.flatMap((version) =>
    [1, 2].filter((parts) => parts < version.parts).map((parts) => prefix(version, parts)),
  )
  const moving = new Set(shorter)
  return versions.filter((version) => version.parts === 3 || !moving.has(prefix(version, version.parts)))
}

/**
 * npm's ranges; without `prereleases` a version such as 1.2.3-rc.1 passes only if the range names a pre-release of 1.2.3.
 * @throws {Error} if the text is not a range
 */
export function inRange(
  range: string,
  {prereleases}: {readonly prereleases: boolean},
): (version: TagVersion) => boolean {
  const parsed = parseRange(range, {includePrerelease: prereleases})
  return ({version}) => parsed.test(version)
}

/** @throws {Error} */
export function checkRange(text: string): void {
  return void parseRange(text, {includePrerelease: false})
}

function parseRange(text: string, options: {readonly includePrerelease: boolean}): Range {
  try {
    return new (semver().Range)(text, options)
  } catch (cause) {
    throw new Error(`${JSON.stringify(text.slice(0, 200))} is not a range of versions such as ">=1.30 <2"`, {
      cause,
    })
  }
}
