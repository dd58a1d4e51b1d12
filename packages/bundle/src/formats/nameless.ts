import {
  childrenOf,
  isDigest,
  isIndexType,
  limits,
  type Descriptor,
  type Digest,
} from '@airgap-mirror/oci-client/model'
import {annotationKeys, type RecordedName} from '../names/recorded-name.js'
import type {ReadContext} from './read-context.js'
import {peekManifest} from '../contents/read-manifest.js'

/** Returns the subject of a nameless descriptor: from containerd's annotation, else from the manifest's own `subject`. */
export async function subjectOf(
  descriptor: Descriptor,
  {table, signal}: ReadContext,
): Promise<Digest | undefined> {
  const annotated = descriptor.annotations?.[annotationKeys.subject]
  if (isDigest(annotated)) return annotated
  return (await peekManifest(table, descriptor, {signal}))?.subject?.digest
}

interface DescribedRoot {
  readonly descriptor: Descriptor
  readonly recorded: RecordedName
}

/**
 * Returns the nameless descriptors that are images of their own: all with a tag, and all that no other manifest names.
 * ORAS (and so zarf) lists every manifest of a layout in index.json, so children of an index would pass for nameless
 * images.
 */
export async function withoutChildren<Root extends DescribedRoot>(
  nameless: readonly Root[],
  {named, context}: {readonly named: readonly Root[]; readonly context: ReadContext},
): Promise<readonly Root[]> {
  if (nameless.length === 0) return nameless
  const inside = new Set<Digest>(named.map(({descriptor}) => descriptor.digest))
  const visited = new Set<Digest>()
  let level = [...named, ...nameless].map(({descriptor}) => descriptor)
  for (let depth = 0; level.length > 0 && depth <= limits.indexDepth; depth += 1) {
    const next: Descriptor[] = []
    for (const descriptor of level) {
      if (!isIndexType(descriptor.mediaType) || visited.has(descriptor.digest)) continue
      visited.add(descriptor.digest)
      const index = await peekManifest(context.table, descriptor, context)
      for (const child of index === undefined ? [] : childrenOf(index)) {
        if (inside.has(child.digest)) continue
        inside.add(child.digest)
        next.push(child)
      }
    }
    level = next
  }
  return nameless.filter(
    ({descriptor, recorded}) => recorded.tag !== undefined || !inside.has(descriptor.digest),
  )
}
