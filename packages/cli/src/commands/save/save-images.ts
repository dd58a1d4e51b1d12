import pLimit from 'p-limit'
import type {RegistrySource} from '@airgap-mirror/oci-client'
import {
  formatReference,
  isMirrorError,
  type CallOptions,
  type Descriptor,
  type Digest,
  type Platform,
  type Reference,
  type SourceImage,
  type OnWarning,
} from '@airgap-mirror/oci-client/model'
import {childrenFor} from '../../names/platforms.js'

export interface SaveImagesOptions extends CallOptions {
  readonly source: RegistrySource
  readonly referrers: boolean
  /** Empty: all. */
  readonly platforms: readonly Platform[]
  readonly warn: OnWarning
}

/** The images to save, and their referrers. */
export interface ImagesToSave {
  /** In the order of the references. */
  readonly images: readonly SourceImage[]
  /** Each once, even if it refers to several images. */
  readonly referrers: readonly SourceImage[]
  /** The referrers of each image, by its name; absent if the source could not say. */
  readonly attached: ReadonlyMap<string, readonly SourceImage[]>
}

/** Images whose referrers are looked for at once. */
const LOOKS_AT_ONCE = 16

/** Asks the source for images and their referrers. An image that it lacks has its error as root. */
export async function imagesToSave(
  references: readonly Reference[],
  {source, referrers: isWanted, platforms, warn, signal}: SaveImagesOptions,
): Promise<ImagesToSave> {
  const images = await source.imagesAt(references, {signal})
  if (!isWanted) return {images, referrers: [], attached: new Map()}
  const chosen = chooserFor(platforms)
  const atOnce = pLimit(LOOKS_AT_ONCE)
  const attached = new Map<string, readonly SourceImage[]>()
  const found = await Promise.all(
    images.map((image) =>
      atOnce(async () => {
        if (!('manifest' in image.root)) return []
        const name = image.name === undefined ? '' : formatReference(image.name)
        try {
          const referrers = await source.referrersOf(image, {chosen, signal})
          attached.set(name, referrers)
          return referrers
        } catch (error) {
          if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
          warn(`signatures of ${name} may be missing: ${error.message}`, {
            name,
            text: `signatures may be missing: ${error.message}`,
          })
          return []
        }
      }),
    ),
  )
  return {images, referrers: distinct(found.flat(), images), attached}
}

/** Which children of an index are wanted; undefined: all. */
export function chooserFor(
  platforms: readonly Platform[],
): ((children: readonly Descriptor[]) => ReadonlySet<Digest>) | undefined {
  return platforms.length === 0 ? undefined : (children) => childrenFor(children, platforms)
}

function distinct(referrers: readonly SourceImage[], images: readonly SourceImage[]): readonly SourceImage[] {
  const keyOf = ({name, subject, root}: SourceImage): string =>
    [
      name === undefined ? '' : formatReference(name),
      subject ?? '',
      'manifest' in root ? root.manifest.digest : '',
    ].join(' ')
  const known = new Set(images.map(keyOf))
  return referrers.filter((referrer) => {
    const key = keyOf(referrer)
    return !known.has(key) && known.add(key)
  })
}
