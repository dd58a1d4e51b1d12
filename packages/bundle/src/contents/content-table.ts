import {
  algorithmOf,
  hexOf,
  isDigest,
  type Descriptor,
  type Digest,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import type {FileTree, StoredFile} from '../files/file-tree.js'
import {memoryFile} from '../files/memory-file.js'

/** Where content lies: what every format boils down to, besides its list of images. */
export interface ContentTable {
  /** By the digest that the bundle claims; checked while it is read. */
  readonly blobs: Map<Digest, StoredFile>
  /** Layers that have no digest yet, by diff id: plain, or compressed by gzip under a name that does not tell. */
  readonly layers: Map<Digest, StoredFile>
  /** Layouts whose `blobs` is a link, so that their listing does not show what is in it. */
  readonly linkedLayouts: FileTree[]
  /** Why content that an image names is not there, for messages. */
  readonly absent: Map<Digest, string>
  /** What a delta bundle says that the far side has. */
  readonly leftOut: Map<Digest, Descriptor>
  /** Manifests that were read, or what is wrong with them, by what was said of them. */
  readonly manifests: Map<string, Promise<Manifest>>
  /** Of all of them. */
  manifestsBytes: number
  manifestsValues: number
}

export function contentTable(): ContentTable {
  return {
    blobs: new Map(),
    layers: new Map(),
    linkedLayouts: [],
    absent: new Map(),
    leftOut: new Map(),
    manifests: new Map(),
    manifestsBytes: 0,
    manifestsValues: 0,
  }
}

export function findBlob(table: ContentTable, digest: Digest): StoredFile | undefined {
  const known = table.blobs.get(digest)
  if (known !== undefined) return known
  for (const tree of table.linkedLayouts) {
    const file = tree.find(blobPath(digest))
    if (file !== undefined) return file
  }
  return undefined
}

/** Content found twice is kept once: the bytes are the same or one of them lies, and reading tells. */
export function remember(table: Map<Digest, StoredFile>, digest: Digest, file: StoredFile): void {
  if (!table.has(digest)) table.set(digest, file)
}

export function rememberBytes(table: ContentTable, digest: Digest, bytes: Uint8Array): void {
  return remember(table.blobs, digest, memoryFile(bytes, digest))
}

/** Every file below `blobs/<algorithm>/` whose name is a digest; others are ignored (image-spec image-layout.md). */
export function rememberLayoutBlobs(table: ContentTable, tree: FileTree): void {
  for (const {path, kind} of tree.entries) {
    if (kind === 'directory') continue
    if (kind === 'link' && LINKED.test(path)) table.linkedLayouts.push(tree)
    const [blobs, algorithm, hex, ...rest] = path.split('/')
    const digest = `${algorithm}:${hex}`
    if (blobs !== 'blobs' || rest.length > 0 || !isDigest(digest)) continue
    const file = tree.find(path)
    if (file !== undefined) remember(table.blobs, digest, file)
  }
}

const LINKED = /^blobs(?:\/sha(?:256|512))?$/

export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`
}
