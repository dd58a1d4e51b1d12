import {
  formatReference,
  isJsonObject,
  limits,
  messageOf,
  MirrorError,
  parseReference,
  type Digest,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import type {LockedPart} from './locked-parts.js'

/** An image of a node: a tag with a digest, or a digest. */
export interface NodeImage {
  readonly reference: Reference
  /** All digests that the node has for it in its repository: CRI-O keeps those of the index and of the platform. */
  readonly digests: readonly Digest[]
  /** The platforms of its index, if a lock file lists them. */
  readonly parts?: readonly LockedPart[]
}

export interface NodeImages {
  readonly images: readonly NodeImage[]
  /** Images without a repo digest, by a tag or their ID: nothing says what they are at a registry. */
  readonly unproven: readonly string[]
}

/**
 * Returns the images in a saved output of `crictl inspecti` or `crictl images -o json`, each with the digests under which
 * its repository was pulled. The output may hold several documents, one after another.
 * @throws {MirrorError} LIST_INVALID, LIMIT_EXCEEDED
 */
export function parseCrictlImages(text: string, name: string): NodeImages {
  const images = new Map<string, NodeImage>()
  const unproven = new Set<string>()
  for (const document of documentsIn(text, name)) {
    for (const image of imagesIn(document)) {
      const found = nodeImages(image)
      for (const one of found) images.set(formatReference(one.reference), one)
      if (found.length === 0) unproven.add(labelOf(image))
    }
  }
  if (images.size + unproven.size > limits.images) {
    throw new MirrorError('LIMIT_EXCEEDED', `${name} names over ${limits.images} images`, {side: 'source'})
  }
  if (images.size > 0) return {images: [...images.values()], unproven: [...unproven]}
  throw new MirrorError('LIST_INVALID', `${name} has no image with a repo digest`, {
    side: 'source',
    hint: 'Save the output of crictl inspecti IMAGE, or of crictl images -o json.',
  })
}

/** Splits documents that follow each other: a line that begins with a brace behind one that ends with a brace. */
function documentsIn(text: string, name: string): readonly unknown[] {
  try {
    return [JSON.parse(text) as unknown]
  } catch (cause) {
    try {
      return text.split(/(?<=\})\s*\n(?=\{)/).map((document): unknown => JSON.parse(document) as unknown)
    } catch {
      throw new MirrorError('LIST_INVALID', `${name} is not JSON: ${messageOf(cause)}`, {
        side: 'source',
        cause,
      })
    }
  }
}

function imagesIn(document: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (Array.isArray(document)) return document.flatMap((one) => imagesIn(one))
  if (!isJsonObject(document)) return []
  const {status, images} = document
  if (isJsonObject(status)) return [status]
  return Array.isArray(images) ? images.filter(isJsonObject) : []
}

/** A tag has the digests of its own repository. An image without tags is named by its digests. */
function nodeImages({repoTags, repoDigests}: Readonly<Record<string, unknown>>): readonly NodeImage[] {
  const known = parsed(repoDigests).flatMap(({registry, repository, digest}) =>
    digest === undefined ? [] : [{registry, repository, digest}],
  )
  const tagged = parsed(repoTags).flatMap(({registry, repository, tag}): readonly NodeImage[] => {
    const own = known.filter((one) => one.registry === registry && one.repository === repository)
    const [first] = own
    if (first === undefined || tag === undefined) return []
    return [{reference: {...first, tag}, digests: own.map(({digest}) => digest)}]
  })
  return tagged.length > 0 ? tagged : known.map((reference) => ({reference, digests: [reference.digest]}))
}

function labelOf({id, repoTags}: Readonly<Record<string, unknown>>): string {
  const [tag] = parsed(repoTags)
  if (tag !== undefined) return formatReference(tag)
  return typeof id === 'string' && id !== '' ? id.slice(0, ID_LENGTH) : 'an image without an ID'
}

const ID_LENGTH = 100

function parsed(names: unknown): readonly Reference[] {
  if (!Array.isArray(names)) return []
  return names.flatMap((name: unknown) => {
    try {
      // containerd writes <none> for what it does not know.
      return typeof name === 'string' && !name.includes('<none>') ? [parseReference(name)] : []
    } catch {
      // A name that is no reference can be at no registry, so there is nothing to compare.
      return []
    }
  })
}
