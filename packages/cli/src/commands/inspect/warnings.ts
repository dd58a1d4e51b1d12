import {isSigned} from './bundle-facts.js'
import type {InspectedImage, InspectionWarning, InspectedReferrer} from './inspection.js'

/** Words of tags that move, although they may have a number beside them. */
const MOVING = /(?:^|[-_.])(?:latest|nightly|snapshot|edge|canary|rolling)(?:$|[-_.])/i

/** Returns true if a tag is likely to be moved to another image: it has no number, or a word such as `latest`. */
export function isMutableTag(tag: string): boolean {
  return !/\d/.test(tag) || MOVING.test(tag)
}

export interface Noticed {
  readonly images: readonly InspectedImage[]
  readonly orphans: readonly InspectedReferrer[]
  /** Warnings of the bundle's reader. */
  readonly reading: readonly string[]
}

/** Returns what deserves a look, each kind once with the images it is about. */
export function warningsOf({images, orphans, reading}: Noticed): readonly InspectionWarning[] {
  const about = (
    code: InspectionWarning['code'],
    isMeant: (image: InspectedImage) => boolean,
    message: (count: string, verb: (one: string, many: string) => string) => string,
  ): readonly InspectionWarning[] => {
    const names = images.filter(isMeant).map(({name}) => name)
    if (names.length === 0) return []
    const isOne = names.length === 1
    const count = isOne ? '1 image' : `${names.length} images`
    return [{code, message: message(count, (one, many) => (isOne ? one : many)), images: names}]
  }
  const twice = namesOfTwo(images)
  return [
    ...about('UNREADABLE', isUnreadable, (count) => `${count} cannot be read`),
    ...about('CONTENT_MISSING', isIncomplete, (count) => `${count} without all of the content`),
    ...about(
      'PLATFORM_MISSING',
      ({platforms}) => platforms.some(({present}) => !present),
      (count, verb) => `${count} ${verb('lists', 'list')} platforms that the bundle does not hold`,
    ),
    ...about(
      'MUTABLE_TAG',
      ({name, named}) => named && isMutableTag(tagOf(name)),
      (count, verb) => `${count} ${verb('has a tag', 'have tags')} that may be moved to another image`,
    ),
    ...about('UNSIGNED', isUnsigned, (count) =>
      count === `${images.length} images`
        ? `none of the ${count} has a signature`
        : `${count} without a signature`,
    ),
    ...about(
      'UNNAMED',
      ({named}) => !named,
      (count, verb) => `${count} ${verb('has', 'have')} no name that a registry takes`,
    ),
    ...about(
      'NAME_TWICE',
      ({name}) => twice.has(name),
      (count) => `${count} share a name with another image`,
    ),
    ...about(
      'FOREIGN_LAYER',
      ({contents}) => contents.some(({state}) => state === 'foreign'),
      (count, verb) => `${count} ${verb('needs', 'need')} foreign layers that the bundle does not hold`,
    ),
    ...about(
      'DIGEST_CHANGES',
      ({digestChanges}) => digestChanges !== undefined,
      (count, verb) => `${count} will not have the digest of ${verb('its', 'their')} registry`,
    ),
    ...about(
      'REFERRER_INCOMPLETE',
      ({referrers}) => referrers.some(({incomplete}) => incomplete === true),
      (count, verb) =>
        `${count} ${verb('has', 'have')} signatures, attestations or SBOMs without all of their content`,
    ),
    ...orphanWarning(orphans),
    ...reading.map((message) => ({code: 'READING' as const, message})),
  ]
}

function orphanWarning(orphans: readonly InspectedReferrer[]): readonly InspectionWarning[] {
  if (orphans.length === 0) return []
  const things = orphans.length === 1 ? '1 referrer is' : `${orphans.length} referrers are`
  return [{code: 'ORPHAN_REFERRER', message: `${things} about an image that the bundle does not hold`}]
}

function isUnreadable({status}: InspectedImage): boolean {
  return status === 'damaged'
}

function isIncomplete({status}: InspectedImage): boolean {
  return status === 'incomplete'
}

function isUnsigned(image: InspectedImage): boolean {
  return image.kind !== 'unreadable' && !isSigned(image)
}

/** The tag of a full reference; a digest cannot be moved. */
function tagOf(name: string): string {
  if (name.includes('@')) return '0'
  return /:([^:/]+)$/.exec(name)?.[1] ?? 'latest'
}

function namesOfTwo(images: readonly InspectedImage[]): ReadonlySet<string> {
  const digests = new Map<string, Set<string>>()
  for (const {name, named, digest, id} of images) {
    if (!named) continue
    digests.set(name, (digests.get(name) ?? new Set()).add(digest ?? id ?? ''))
  }
  return new Set([...digests].filter(([, found]) => found.size > 1).map(([name]) => name))
}
