import {
  formatReference,
  isJsonObject,
  limits,
  messageOf,
  MirrorError,
  parseReference,
  type Reference,
} from '@airgap-mirror/oci-client/model'

/**
 * Returns the images in a saved output of `crictl inspecti` or `crictl images -o json`, each with the digest under which
 * its repository was pulled. The output may hold several documents, one after another.
 * @throws {MirrorError} LIST_INVALID, LIMIT_EXCEEDED
 */
export function parseCrictlImages(text: string, name: string): readonly Reference[] {
  const images = new Map<string, Reference>()
  for (const document of documentsIn(text, name)) {
    for (const image of imagesIn(document)) {
      for (const reference of referencesOf(image)) images.set(formatReference(reference), reference)
    }
  }
  if (images.size > limits.images) {
    throw new MirrorError('LIMIT_EXCEEDED', `${name} names over ${limits.images} images`, {side: 'source'})
  }
  if (images.size > 0) return [...images.values()]
  throw new MirrorError('LIST_INVALID', `${name} has no image with a repo digest`, {
    side: 'source',
    hint: 'Save the output of crictl inspecti IMAGE, or of crictl images -o json.',
  })
}

/** Splits documents that follow each other: crictl ends each with a brace at the start of a line. */
function documentsIn(text: string, name: string): readonly unknown[] {
  try {
    return [JSON.parse(text) as unknown]
  } catch (cause) {
    try {
      return text.split(/(?<=^\})\s*\n(?=\{)/m).map((document): unknown => JSON.parse(document) as unknown)
    } catch {
      throw new MirrorError('LIST_INVALID', `${name} is no JSON: ${messageOf(cause)}`, {
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

/** A tag has the digest of its own repository. An image without tags is named by its digests. */
function referencesOf({repoTags, repoDigests}: Readonly<Record<string, unknown>>): readonly Reference[] {
  const digests = parsed(repoDigests).filter(({digest}) => digest !== undefined)
  const tagged = parsed(repoTags).flatMap(({registry, repository, tag}) => {
    const own = digests.find((one) => one.registry === registry && one.repository === repository)
    return own === undefined || tag === undefined ? [] : [{...own, tag}]
  })
  return tagged.length > 0 ? tagged : digests
}

function parsed(names: unknown): readonly Reference[] {
  if (!Array.isArray(names)) return []
  return names.flatMap((name: unknown) => {
    try {
      // containerd writes <none> for what it does not know.
      return typeof name === 'string' && !name.includes('<none>') ? [parseReference(name)] : []
    } catch {
      return []
    }
  })
}
