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

async function verifyOne({digests, target, label}: Locked, options: Checking): Promise<ReportImage> {
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
    if (!digests.includes(found.digest)) {
      const message = `${label.target} is ${found.digest}, not ${digests.join(' or ')}`
      throw new MirrorError('DIGEST_MISMATCH', message, TARGET)
    }
    const required = await contentBelow(found, {...options, repository: target.repository, isRoot: true})
    const wrong = (await Promise.all(required.map((one) => options.checks.check(one)))).filter(
      (error) => error !== undefined,
    )
    if (wrong.length > 0) throw together(wrong)
    return {...base, sourceDigest: found.digest, targetDigest: found.digest, status: 'verified'}
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    return {...base, status: isDifference(error) ? 'differs' : 'failed', error: reportErrorOf(error)}
  }
}

async function contentBelow(
  descriptor: Descriptor,
  options: Checking & {readonly repository: string; readonly isRoot: boolean},
): Promise<readonly Required[]> {
  const {repository, registry, sink, platforms, isRoot} = options
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
  const chosen =
    isRoot && platforms.length > 0
      ? childrenFor(children, platforms)
      : new Set(children.map((child) => child.digest))
  const below = await Promise.all(
    children
      .filter((child) => chosen.has(child.digest))
      .map(async (child): Promise<readonly Required[]> =>
        isIndexType(child.mediaType) || isManifestType(child.mediaType)
          ? contentBelow(child, {...options, isRoot: false})
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
