import {
  algorithmOf,
  childrenOf,
  isForeignLayerType,
  isIndexType,
  isJsonObject,
  isManifestType,
  isMirrorError,
  parseDescriptor,
  parseJsonObject,
  parseManifest,
  type Descriptor,
  type Digest,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import {isAbsentContent, parseAbsentContent} from '../contents/absent-content.js'
import {blobPath} from '../contents/blob-path.js'
import {cleanPath} from '../tar/clean-path.js'
import {TYPES, type Member, type ReadAt} from '../tar/members.js'

/** The files of a layout that stand before its blobs. */
export interface LeadingFiles {
  /** By path, in the archive's order. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** The blobs that follow, in the order in which such a layout is written. */
  readonly blobs: readonly Descriptor[]
}

/** The most bytes of leading files that are held in memory. */
const MOST_BYTES = 64 * 1024 * 1024

/**
 * Reads the files before the blobs of a layout: oci-layout, index.json, every manifest that they lead to.
 * @returns undefined if the archive is another, or some of these files stand elsewhere
 */
export async function readLeadingFiles(
  members: AsyncIterator<Member, unknown>,
  read: ReadAt,
): Promise<LeadingFiles | undefined> {
  const files = new Map<string, Uint8Array>()
  let room = MOST_BYTES
  const next = async (): Promise<string | undefined> => {
    const step = await members.next()
    if (step.done === true) return undefined
    const {header, extension, offset, stored, sparse} = step.value
    const path = cleanPath(extension.path ?? header.path)
    if (path === undefined || TYPES[header.type] !== 'file' || sparse !== undefined || stored > room)
      return undefined
    room -= stored
    // Copied, because a small file would keep the whole chunk of the stream in memory.
    files.set(path, Uint8Array.from(await read(offset, stored)))
    return path
  }
  try {
    if ((await next()) !== 'oci-layout' || (await next()) !== 'index.json') return undefined
    const roots = descriptorsIn(files.get('index.json') ?? new Uint8Array())
    const manifests = new Map<Digest, Manifest>()
    const wanted = new Map(roots.map((descriptor) => [blobPath(descriptor), descriptor] as const))
    const absent = new Set<Digest>()
    while (wanted.size > 0) {
      const path = await next()
      if (path === 'manifest.json' && files.size === 3) continue
      const descriptor = path === undefined ? undefined : wanted.get(path)
      if (path === undefined || descriptor === undefined) return undefined
      wanted.delete(path)
      const bytes = files.get(path) ?? new Uint8Array()
      if (isAbsentContent(descriptor)) {
        for (const {digest} of parseAbsentContent(bytes, descriptor)) absent.add(digest)
        continue
      }
      const {mediaType, digest} = descriptor
      const manifest = parseManifest(bytes, {mediaType, algorithm: algorithmOf(digest)})
      manifests.set(digest, manifest)
      for (const child of manifestsBelow(manifest)) {
        if (!manifests.has(child.digest)) wanted.set(blobPath(child), child)
      }
    }
    return {files, blobs: blobsBelow(roots, {manifests, absent})}
  } catch (error) {
    // The usual way of reading an archive reports what is wrong with it.
    if (isMirrorError(error) && error.code !== 'CANCELLED') return undefined
    throw error
  }
}

function descriptorsIn(index: Uint8Array): readonly Descriptor[] {
  const {manifests} = parseJsonObject(index, 'index.json')
  if (!Array.isArray(manifests)) return []
  return manifests.filter(isJsonObject).map((entry, at) => parseDescriptor(entry, `manifests[${at}]`))
}

function manifestsBelow(manifest: Manifest): readonly Descriptor[] {
  if (manifest.kind === 'image') return []
  return manifest.children.filter(({mediaType}) => isIndexType(mediaType) || isManifestType(mediaType))
}

function blobsBelow(
  roots: readonly Descriptor[],
  {
    manifests,
    absent,
  }: {readonly manifests: ReadonlyMap<Digest, Manifest>; readonly absent: ReadonlySet<Digest>},
): readonly Descriptor[] {
  const blobs: Descriptor[] = []
  const seen = new Set<Digest>(absent)
  const visit = (digest: Digest): void => {
    const manifest = manifests.get(digest)
    if (manifest === undefined || seen.has(digest)) return
    seen.add(digest)
    for (const child of childrenOf(manifest)) {
      if (manifests.has(child.digest)) visit(child.digest)
      else if (!seen.has(child.digest) && !isForeignLayerType(child.mediaType)) {
        seen.add(child.digest)
        blobs.push(child)
      }
    }
  }
  for (const {digest} of roots) visit(digest)
  return blobs
}
