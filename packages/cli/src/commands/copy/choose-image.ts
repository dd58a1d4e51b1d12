import {
  formatReference,
  isDigest,
  isMirrorError,
  MirrorError,
  parseReference,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {cosignTagOf} from './cosign-tag.js'
import type {FilePlace} from './place.js'

export interface ChosenImage {
  readonly image: SourceImage
  /** Candidates for its referrers: the signatures, attestations and SBOMs of all images of the source. */
  readonly referrers: readonly SourceImage[]
}

/** The number of images that an error lists. */
const LISTED = 20

/**
 * Returns the requested image of a bundle: the image named by REF, or the only image.
 * @throws {MirrorError} USAGE if several images match, IMAGE_NOT_FOUND; both list the images of the bundle
 */
export function chooseImage(images: readonly SourceImage[], place: FilePlace): ChosenImage {
  const referrers = images.filter(isReferrer)
  const others = images.filter((image) => !isReferrer(image))
  const {ref} = place
  // A signature alone can be asked for, too.
  const meant =
    ref === undefined
      ? others.length > 0
        ? others
        : images
      : (atPlace(others, ref) ?? images.filter((image) => goesBy(image, ref)))
  const [image, ...more] = withoutSameRoot(meant)
  if (image === undefined) {
    throw new MirrorError(
      'IMAGE_NOT_FOUND',
      `${place.path} has no image ${JSON.stringify(ref ?? '')}${list(others)}`,
      {
        side: 'source',
        hint: 'Name one of these, or none if there is only one.',
      },
    )
  }
  if (more.length > 0) {
    throw new MirrorError(
      'USAGE',
      `${place.path} has ${more.length + 1} images that could be meant${list(meant)}`,
      {
        side: 'source',
        hint: `Name one: ${place.transport}:${place.path}:REF; mirror push carries all of them.`,
      },
    )
  }
  return {image, referrers: referrers.filter((referrer) => referrer !== image)}
}

/** The image at a place, counted from 0, as skopeo writes it: `@1`. Undefined for another REF. */
function atPlace(images: readonly SourceImage[], ref: string): readonly SourceImage[] | undefined {
  const place = /^@(\d{1,6})$/.exec(ref)?.[1]
  return place === undefined ? undefined : withoutSameRoot(images).slice(Number(place), Number(place) + 1)
}

/** By its full name, by its tag alone, by its digest, or by another text that its bundle has for it. */
function goesBy({name, shownAs, id, root}: SourceImage, ref: string): boolean {
  const text = ref.startsWith('@') ? ref.slice(1) : ref
  if (isDigest(text)) return id === text || ('manifest' in root && root.manifest.digest === text)
  // As docker takes an image ID: whole or shortened, with or without its algorithm.
  if (/^(?:sha256:)?[0-9a-f]{12,64}$/.test(text) && id?.startsWith(`sha256:${text.replace(/^sha256:/, '')}`))
    return true
  // Several images without names that share a text have their digests behind it.
  if (shownAs === ref || shownAs?.startsWith(`${ref}@`) || shownAs?.endsWith(` (${ref})`)) return true
  if (name === undefined) return false
  return name.tag === ref || formatReference(name) === fullName(ref)
}

function fullName(ref: string): string | undefined {
  try {
    const reference = parseReference(ref)
    const isBare = reference.tag === undefined && reference.digest === undefined
    return formatReference(isBare ? {...reference, tag: 'latest'} : reference)
  } catch (error) {
    if (isMirrorError(error)) return undefined
    throw error
  }
}

function isReferrer(image: SourceImage): boolean {
  return image.subject !== undefined || cosignTagOf(image) !== undefined
}

/** An image may have many names. */
function withoutSameRoot(images: readonly SourceImage[]): readonly SourceImage[] {
  const seen = new Set<unknown>()
  return images.filter(({root}) => {
    const key =
      'manifest' in root ? root.manifest.digest : 'pending' in root ? root.pending.config.digest : root
    return !seen.has(key) && seen.add(key)
  })
}

function list(images: readonly SourceImage[]): string {
  if (images.length === 0) return ''
  const names = images.map(({name, shownAs, id, root}) => {
    if (name !== undefined) return formatReference(name)
    if (id !== undefined) return id.slice(7, 19)
    return shownAs ?? ('manifest' in root ? root.manifest.digest : 'unnamed')
  })
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : ''
  return `; it has ${names.slice(0, LISTED).join(', ')}${more}`
}
