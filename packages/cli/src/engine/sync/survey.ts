import pLimit from 'p-limit'
import {
  formatReference,
  isInconclusive,
  isIndexType,
  isMirrorError,
  MirrorError,
  type CallOptions,
  type Descriptor,
  type Digest,
  type Reference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {refuseCollisions, type Claim} from '../collisions.js'
import type {KnownTag} from '../known-tags.js'
import {mapName} from '../../names/naming.js'
import {driftAt, unclearAt} from './drift.js'
import {tagKey, type SyncSource, type SyncTarget} from './sync-target.js'

/** The state of an image at a target. */
export interface Standing {
  readonly target: Reference
  /** Its key in the saved state of the target. */
  readonly key: string
  readonly verdict: Verdict
  /** The descriptor that is there now, if the target was asked. */
  readonly found?: Descriptor
  /** The target's answer, if it does not say what is there. */
  readonly unclear?: MirrorError
  /** True if it is time to ask again for referrers and for the platforms of an index, although the image is unchanged. */
  readonly look?: boolean
}

type Verdict =
  | {readonly status: 'present'; readonly sourceDigest: Digest; readonly targetDigest: Digest}
  | {readonly status: 'changed'}
  | {readonly status: 'drifted'; readonly sourceDigest: Digest; readonly error: MirrorError}
  | {readonly status: 'failed'; readonly error: MirrorError}

export interface Surveyed {
  readonly reference: Reference
  /** Absent if the saved state made asking the source unnecessary. */
  readonly image?: SourceImage
  /** One for each target, in their order. */
  readonly standings: readonly Standing[]
}

export interface SurveyOptions extends CallOptions {
  readonly source: SyncSource
  readonly targets: readonly SyncTarget[]
  /** Returns true if the content of a reference can never change. */
  readonly isImmutable: (reference: Reference) => boolean
  /** True if referrers are wanted. */
  readonly referrers: boolean
  /** A key for the choices that decide the digest at the target. */
  readonly how: string
  /** Overwrite drifted tags, and do not trust the saved state. */
  readonly force: boolean
  /** Small requests at once, for each target. */
  readonly concurrency: number
  /** Milliseconds since 1970. */
  readonly now: number
}

const DAY = 86_400_000

/**
 * The time for which saved state is trusted without asking: signatures are added to images later, and registries lose
 * content.
 */
const LOOK_EVERY = 7 * DAY

/**
 * Asks both sides for every reference, all in parallel: one HEAD each, and none for an immutable reference known to be
 * there. If an image cannot be asked for, only that image fails.
 * @param references each once
 * @throws {MirrorError} NAME_INVALID; NAME_COLLISION naming both images
 */
export async function survey(
  references: readonly Reference[],
  options: SurveyOptions,
): Promise<readonly Surveyed[]> {
  const {source, targets, signal} = options
  const named = references.map((reference) => nameAt(reference, options))
  const asked = named.filter(({known}) => !known)
  const lookers = targets.map((target) => {
    const atOnce = pLimit(options.concurrency)
    return (place: Reference): Promise<Found> => atOnce(() => lookAt(place, target, signal))
  })
  const [images, found] = await Promise.all([
    source.imagesAt(
      asked.map(({reference}) => reference),
      {signal},
    ),
    Promise.all(
      asked.map(({names}) => Promise.all(names.map(async ({target}, index) => lookers[index]?.(target)))),
    ),
  ])
  const answers = new Map(
    asked.map(({reference}, index) => [reference, {image: images[index], found: found[index]}]),
  )
  const surveyed = named.map(({reference, names}): Surveyed => {
    const answer = answers.get(reference)
    if (answer?.image === undefined) return {reference, standings: names.map(asRemembered)}
    const {image} = answer
    return {
      reference,
      image,
      standings: names.map((place, index) =>
        judge(image, place, {
          ...options,
          found: answer.found?.[index],
          remembers: targets[index]?.tags !== undefined,
        }),
      ),
    }
  })
  refuseCollisions(surveyed.flatMap(claimsOf))
  return surveyed
}

interface NamedAt {
  readonly target: Reference
  readonly key: string
  /** Its saved state, if it was made by the same choices. */
  readonly entry: KnownTag | undefined
  /** Its saved state, by whatever choices. */
  readonly tag: KnownTag | undefined
}

interface Named {
  readonly reference: Reference
  readonly names: readonly NamedAt[]
  /** True if neither the source nor a target has to be asked. */
  readonly known: boolean
}

function nameAt(reference: Reference, options: SurveyOptions): Named {
  const {targets, isImmutable, force, how} = options
  const source = formatReference(reference)
  const names = targets.map(({rules, tags}): NamedAt => {
    const {digest} = reference
    const target = mapName({name: reference, digest}, rules)
    const key = tagKey(target)
    const tag = tags?.get(key)
    return {target, key, tag, entry: tag?.how === how ? tag : undefined}
  })
  const known =
    !force &&
    isImmutable(reference) &&
    names.every(({entry}) => entry?.source === source && entry.digest !== undefined && !isDue(entry, options))
  return {reference, names, known}
}

/** Returns true if the last full check of both sides is too long ago. */
export function isDue({looked = 0}: KnownTag, {now}: Pick<SurveyOptions, 'now'>): boolean {
  return now - looked > LOOK_EVERY
}

type Found = {readonly descriptor: Descriptor | undefined} | {readonly error: MirrorError}

async function lookAt(
  target: Reference,
  registry: SyncTarget,
  signal: AbortSignal | undefined,
): Promise<Found> {
  try {
    return {descriptor: await registry.sink.resolve(target, {signal})}
  } catch (error) {
    if (isMirrorError(error) && error.code !== 'CANCELLED') return {error}
    throw error
  }
}

function asRemembered({target, key, entry}: NamedAt): Standing {
  if (entry?.digest === undefined) throw new Error(`${key} was taken for known and is not`)
  const {sourceDigest, digest} = entry
  return {target, key, verdict: {status: 'present', sourceDigest, targetDigest: digest}}
}

function judge(
  {root}: SourceImage,
  {target, key, entry, tag}: NamedAt,
  options: SurveyOptions & {readonly found: Found | undefined; readonly remembers: boolean},
): Standing {
  const {found, force, referrers, remembers} = options
  if ('error' in root) return {target, key, verdict: {status: 'failed', error: root.error}}
  if (!('manifest' in root)) throw new Error(`${key}: a registry has no images without manifests`)
  if (found === undefined || 'error' in found) {
    const error = found?.error ?? new MirrorError('CANCELLED', 'not asked')
    if (isInconclusive(error))
      return judgeUnclear(root.manifest, {target, key, entry, tag}, {...options, error})
    return {target, key, verdict: {status: 'failed', error}}
  }
  const there = found.descriptor
  const standing = {target, key, found: there}
  const {digest: sourceDigest} = root.manifest
  if (there !== undefined) {
    const targetDigest = there.digest
    const isKnown = entry?.sourceDigest === sourceDigest && entry.digest === targetDigest
    // An index that was put without all of its platforms has the same digest, and is not the same.
    const mayLack = tag !== undefined && entry === undefined && isIndexType(root.manifest.mediaType)
    if (targetDigest === sourceDigest && mayLack) return {target, key, verdict: {status: 'changed'}}
    if (targetDigest === sourceDigest || isKnown) {
      const isTime = force || (remembers && (entry === undefined || isDue(entry, options)))
      const look = (isTime && (force || referrers || isIndexType(root.manifest.mediaType))) || undefined
      return {...standing, verdict: {status: 'present', sourceDigest, targetDigest}, look}
    }
    const error = force ? undefined : driftAt(target, {tag, found: targetDigest})
    if (error !== undefined) return {...standing, verdict: {status: 'drifted', sourceDigest, error}}
  }
  return {...standing, verdict: {status: 'changed'}}
}

/** For a target that does not say what it has: what this program put there and remembers counts. */
function judgeUnclear(
  manifest: Descriptor,
  {target, key, entry, tag}: NamedAt,
  options: SurveyOptions & {readonly error: MirrorError},
): Standing {
  const {force, referrers, error} = options
  const {digest: sourceDigest} = manifest
  if (!force && entry?.digest !== undefined && entry.sourceDigest === sourceDigest) {
    const {digest: targetDigest} = entry
    const look = referrers && isDue(entry, options)
    return {
      target,
      key,
      found: {...manifest, digest: targetDigest},
      verdict: {status: 'present', sourceDigest, targetDigest},
      look,
    }
  }
  const drift = force ? undefined : unclearAt(target, {tag, answer: error})
  if (drift !== undefined) return {target, key, verdict: {status: 'drifted', sourceDigest, error: drift}}
  return {target, key, unclear: error, verdict: {status: 'changed'}}
}

function claimsOf({reference, image, standings}: Surveyed): readonly Claim[] {
  return standings.flatMap(({target, verdict}) => {
    const identity = digestOf(image) ?? ('sourceDigest' in verdict ? verdict.sourceDigest : undefined)
    return identity === undefined ? [] : [{source: formatReference(reference), target, identity}]
  })
}

function digestOf(image: SourceImage | undefined): Digest | undefined {
  return image !== undefined && 'manifest' in image.root ? image.root.manifest.digest : undefined
}
