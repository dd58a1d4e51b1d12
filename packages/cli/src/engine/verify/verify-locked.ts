import pLimit from 'p-limit'
import {
  cancelled,
  formatReference,
  isForeignLayerType,
  isIndexType,
  isManifestType,
  isMirrorError,
  MirrorError,
  type Descriptor,
  type Digest,
  type Platform,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {childrenWithout, narrowed, standsFor, type LockedPart} from '../../names/locked-parts.js'
import {childrenFor} from '../../names/platforms.js'
import {reportErrorOf} from '../../report/report-error.js'
import type {ReportImage} from '../../report/report.js'
import type {OnEvent} from '../events.js'
import type {Label} from '../pair.js'
import {Checks, isDifference, TARGET, together, type CheckOptions, type Required} from './checks.js'
import type {Verified} from './verify-pairs.js'

/** An image that is known by its digest alone. */
export interface Locked {
  /** At least one: the target may have any of them. */
  readonly digests: readonly Digest[]
  /** The platforms of its index, if they are known. */
  readonly parts?: readonly LockedPart[]
  /** Its place at the target. */
  readonly target: Reference
  readonly label: Label
}

export interface VerifyLockedOptions extends CheckOptions {
  /** Platforms that an index must have; empty: all that it lists. */
  readonly platforms: readonly Platform[]
  readonly onEvent: OnEvent
}

/**
 * Proves that a target has these digests under these names, and everything below them. What is below is read from the target
 * itself, by digest. Referrers are not looked for, since nothing says which there should be.
 * @throws {MirrorError} if the target cannot be asked at all, CANCELLED
 */
export async function verifyLocked(
  images: readonly Locked[],
  options: VerifyLockedOptions,
): Promise<Verified> {
  const {concurrency, onEvent, signal} = options
  const checks = new Checks(options)
  onEvent({type: 'plan', images: images.length, blobs: 0, bytes: 0})
  const atOnce = pLimit(concurrency)
  const results = await Promise.all(
    images.map((image) =>
      atOnce(async () => {
        const result = await verifyOne(image, {...options, checks})
        const {source, target, status, error} = result
        onEvent({type: 'image', source, target, status, error})
        return result
      }),
    ),
  )
  if (signal?.aborted === true) throw cancelled(signal)
  return {images: results, blobs: {present: checks.blobs}, bytes: {present: checks.bytes}}
}

type Checking = VerifyLockedOptions & {readonly checks: Checks}

async function verifyOne(locked: Locked, options: Checking): Promise<ReportImage> {
  const {digests, target, label} = locked
  const parts = narrowed(locked.parts ?? [], options.platforms)
  const base = {
    ...label,
    sourceDigest: digests[0],
    digestChanged: false,
    bytesUploaded: 0,
    attempts: 0,
  }
  try {
    const found = await options.sink.resolve(target, options)
    if (found === undefined)
      throw new MirrorError('NOT_FOUND', `${label.target} is not at the registry`, TARGET)
    const isLocked = digests.includes(found.digest)
    if (!isLocked && !(await isPartOf(found, {...options, repository: target.repository, parts}))) {
      const message = `${label.target} is ${found.digest}, not ${digests.join(' or ')}`
      throw new MirrorError('DIGEST_MISMATCH', message, TARGET)
    }
    const required = await contentBelow(found, {...options, repository: target.repository, parts})
    const wrong = (await Promise.all(required.map((one) => options.checks.check(one)))).filter(
      (error) => error !== undefined,
    )
    if (wrong.length > 0) throw together(wrong)
    return {
      ...base,
      sourceDigest: isLocked ? found.digest : digests[0],
      targetDigest: found.digest,
      digestChanged: !isLocked,
      reason: isLocked ? undefined : 'only the chosen platforms of the index are there',
      status: 'verified',
    }
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    return {...base, status: isDifference(error) ? 'differs' : 'failed', error: reportErrorOf(error)}
  }
}

/** A choice of platforms gives the tag another manifest: an index of the chosen ones, or the only one. */
async function isPartOf(
  {digest}: Descriptor,
  options: Checking & {readonly repository: string; readonly parts: readonly LockedPart[]},
): Promise<boolean> {
  const {registry, repository, sink, parts} = options
  if (parts.every(({leftOut}) => !leftOut)) return false
  const manifest = await sink.manifest({registry, repository, digest}, options)
  return manifest !== undefined && standsFor(manifest, parts)
}

async function contentBelow(
  descriptor: Descriptor,
  options: Checking & {readonly repository: string; readonly parts?: readonly LockedPart[]},
): Promise<readonly Required[]> {
  const {repository, registry, sink, platforms, parts} = options
  const own: Required = {repository, kind: 'manifest', descriptor}
  const manifest = await sink.manifest({registry, repository, digest: descriptor.digest}, options)
  if (manifest === undefined) return [own]
  if (manifest.kind === 'image') {
    const blobs = [manifest.config, ...manifest.layers].filter(
      ({mediaType}) => !isForeignLayerType(mediaType),
    )
    return [own, ...blobs.map((blob): Required => ({repository, kind: 'blob', descriptor: blob}))]
  }
  const {children} = manifest
  // Below the root there is no choice.
  const leftOut = new Set(parts?.filter((part) => part.leftOut).map(({digest}) => digest))
  const chosen =
    parts !== undefined && platforms.length > 0
      ? childrenFor(children, platforms)
      : childrenWithout(children, leftOut)
  const below = await Promise.all(
    children
      .filter((child) => chosen.has(child.digest))
      .map(async (child): Promise<readonly Required[]> =>
        isIndexType(child.mediaType) || isManifestType(child.mediaType)
          ? contentBelow(child, {...options, parts: undefined})
          : [{repository, kind: 'blob', descriptor: child}],
      ),
  )
  return [own, ...below.flat()]
}

/** Returns the name that a lock compares: the tag if there is one, since the digest is what it should have. */
export function withoutDigest(reference: Reference): Reference {
  const {registry, repository, tag} = reference
  return tag === undefined ? reference : {registry, repository, tag}
}

/** Returns a reference as reports show it. */
export function labelOf(reference: Reference, target: Reference): Label {
  return {source: formatReference(reference), target: formatReference(target)}
}
