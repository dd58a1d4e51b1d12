import pLimit from 'p-limit'
import type {RegistrySource} from '@airgap-mirror/oci-client'
import {
  formatReference,
  isMirrorError,
  type CallOptions,
  type Descriptor,
  type Digest,
  type Manifest,
  type Platform,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import type {LockedImage} from '../../names/lock-file.js'
import {childrenFor} from '../../names/platforms.js'
import type {ReportImage} from '../../report/report.js'
import {platformsIn} from '../../run/write-lock.js'

export interface LockOptions extends CallOptions {
  readonly source: RegistrySource
  /** The references that were asked for. */
  readonly references: readonly Reference[]
  readonly images: readonly ReportImage[]
  /** By the text of a reference; undefined if it is not known. */
  readonly bytesOf: (reference: string) => number | undefined
  /** The platforms that the run took of a reference; empty: all. */
  readonly platformsOf: (reference: string) => readonly Platform[]
  readonly warn: (text: string) => void
}

/** Manifests read at once. */
const READS_AT_ONCE = 16

/**
 * Returns the digests of the references as the run found them. A reference that failed is left out, since nothing is known of it.
 * The platforms of an index are read from the source.
 */
export async function lockedImages(options: LockOptions): Promise<readonly LockedImage[]> {
  const digests = new Map<string, Digest>()
  for (const {source, sourceDigest} of options.images) {
    if (sourceDigest !== undefined) digests.set(source, sourceDigest)
  }
  const atOnce = pLimit(READS_AT_ONCE)
  const locked = await Promise.all(
    options.references.map((reference) =>
      atOnce(async () => {
        const digest = digests.get(formatReference(reference))
        return digest === undefined ? undefined : lockedImage(reference, digest, options)
      }),
    ),
  )
  const found = locked.filter((image) => image !== undefined)
  const missing = options.references.length - found.length
  if (missing > 0) options.warn(`${missing} references are not in the lock file, since they failed`)
  return found
}

async function lockedImage(
  reference: Reference,
  digest: Digest,
  {source, bytesOf, platformsOf, warn, signal}: LockOptions,
): Promise<LockedImage> {
  try {
    const [image] = await source.imagesAt([{...reference, digest}], {signal})
    if (image === undefined || !('manifest' in image.root)) throw errorOf(image)
    const manifest = await source.manifest(image.root.manifest, {signal})
    const name = formatReference(reference)
    const platforms = platformsIn(manifest, leftOutOf(manifest, platformsOf(name)))
    return {reference, digest, bytes: bytesOf(name), platforms}
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    warn(`the lock file has no platforms of ${formatReference(reference)}: ${error.message}`)
    return {reference, digest, platforms: []}
  }
}

function leftOutOf(manifest: Manifest, wanted: readonly Platform[]): readonly Descriptor[] {
  if (manifest.kind !== 'index' || wanted.length === 0) return []
  const taken = childrenFor(manifest.children, wanted)
  return manifest.children.filter(({digest}) => !taken.has(digest))
}

function errorOf(image: Awaited<ReturnType<RegistrySource['imagesAt']>>[number] | undefined): Error {
  if (image !== undefined && 'error' in image.root) return image.root.error
  return new Error('a reference was asked for and no manifest came back')
}
