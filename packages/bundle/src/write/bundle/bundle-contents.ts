import {
  childrenOf,
  formatReference,
  isForeignLayerType,
  isIndexType,
  isManifestType,
  type Descriptor,
  type Digest,
  type Manifest,
  type Reference,
} from '@airgap-mirror/oci-client/model'

/** An image, or a referrer without a name, that index.json lists. */
export interface BundleEntry {
  readonly manifest: Manifest
  readonly name?: Reference
}

/** The whole content of a bundle, in the order of writing, which is also best for a push. */
export interface BundleContents {
  /** Images by name, each followed by the nameless referrers of its content. */
  readonly entries: readonly BundleEntry[]
  readonly manifests: readonly Manifest[]
  /** Blobs in the order of first use. */
  readonly blobs: readonly Descriptor[]
  /** Blobs that the manifests need and the bundle leaves out, because the far side has them. */
  readonly absent: readonly Descriptor[]
}

export interface ArrangeOptions {
  /** All manifests by digest. Missing children of an index are left out of the bundle. */
  readonly manifests: ReadonlyMap<Digest, Manifest>
  readonly leaveOut: ReadonlySet<Digest>
}

/** Puts a bundle's content in order. The result depends only on the images, never on their order. */
export function arrange(
  images: readonly BundleEntry[],
  {manifests, leaveOut}: ArrangeOptions,
): BundleContents {
  const entries: BundleEntry[] = []
  const seen = new Set<Digest>()
  const ordered: Manifest[] = []
  const blobs: Descriptor[] = []
  const absent: Descriptor[] = []
  const referrers = referrersBySubject(images)

  const addBlob = (blob: Descriptor): void => {
    if (seen.has(blob.digest) || isForeignLayerType(blob.mediaType)) return
    seen.add(blob.digest)
    if (leaveOut.has(blob.digest)) absent.push(blob)
    else blobs.push(blob)
  }
  /** @returns digests of the added content, the manifest's own first */
  const addManifest = (manifest: Manifest): readonly Digest[] => {
    const {digest} = manifest.descriptor
    if (seen.has(digest)) return []
    seen.add(digest)
    ordered.push(manifest)
    const added = [digest]
    for (const child of childrenOf(manifest)) {
      const below = isOfManifest(child, manifest) ? manifests.get(child.digest) : undefined
      if (below !== undefined) added.push(...addManifest(below))
      else if (!isOfManifest(child, manifest)) addBlob(child)
    }
    return added
  }
  const addEntry = (entry: BundleEntry): void => {
    entries.push(entry)
    const subjects = addManifest(entry.manifest)
    for (const subject of subjects) {
      const found = referrers.get(subject) ?? []
      referrers.delete(subject)
      for (const referrer of found) addEntry(referrer)
    }
  }

  for (const image of sorted(images.filter(({name}) => name !== undefined))) addEntry(image)
  for (const image of sorted(images.filter(({name, manifest: {subject}}) => !name && !subject)))
    addEntry(image)
  // Referrers whose subjects are not in the bundle.
  for (const [subject, found] of [...referrers].sort(([left], [right]) => (left < right ? -1 : 1))) {
    referrers.delete(subject)
    for (const referrer of found) addEntry(referrer)
  }
  return {entries, manifests: ordered, blobs, absent}
}

/** Returns the total bytes of all blobs and manifests. */
export function contentBytes({manifests, blobs}: BundleContents): number {
  const sizes = [...manifests.map(({descriptor}) => descriptor), ...blobs]
  return sizes.reduce((sum, {size}) => sum + size, 0)
}

function isOfManifest(child: Descriptor, parent: Manifest): boolean {
  return parent.kind === 'index' && (isIndexType(child.mediaType) || isManifestType(child.mediaType))
}

function referrersBySubject(images: readonly BundleEntry[]): Map<Digest, readonly BundleEntry[]> {
  const bySubject = new Map<Digest, readonly BundleEntry[]>()
  for (const image of sorted(images)) {
    const subject = image.manifest.subject?.digest
    if (image.name !== undefined || subject === undefined) continue
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), image])
  }
  return bySubject
}

/** Sorts by name, then by digest, without duplicates. */
function sorted(images: readonly BundleEntry[]): readonly BundleEntry[] {
  const keyed = new Map(images.map((image) => [keyOf(image), image] as const))
  return [...keyed].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, image]) => image)
}

function keyOf({name, manifest}: BundleEntry): string {
  return `${name === undefined ? '' : formatReference(name)} ${manifest.descriptor.digest}`
}
