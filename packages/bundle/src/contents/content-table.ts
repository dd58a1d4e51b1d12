import {
  algorithmOf,
  isDigest,
  type Advice,
  type Descriptor,
  type Digest,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import type {FileTree, StoredFile} from '../files/file-tree.js'
import {memoryFile} from '../files/memory-file.js'
import {blobPath} from './blob-path.js'

/** The place of all content: every format is read into this table and a list of images. */
export interface ContentTable {
  /** By the digest in the bundle, which is verified while the blob is read. */
  readonly blobs: Map<Digest, StoredFile>
  /** Layers without a digest yet, by diff ID: plain, or gzip under a name that does not tell their digest. */
  readonly layers: Map<Digest, StoredFile>
  /** Layouts with a link as `blobs`, so that their listing does not show the blobs. */
  readonly linkedLayouts: FileTree[]
  /** The reason for missing content that an image names, for messages. */
  readonly absent: Map<Digest, Absence>
  /** Blobs that a delta bundle leaves out because the far side has them. */
  readonly leftOut: Map<Digest, Descriptor>
  /** Manifests that were read, or their errors, by descriptor. */
  readonly manifests: Map<string, Promise<Manifest>>
  /** Total bytes of all manifests. */
  manifestsBytes: number
  manifestsValues: number
}

/** The reason why content is missing. */
export interface Absence {
  readonly message: string
  readonly advice: Advice
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
    const file = tree.find(blobPath({digest}))
    if (file !== undefined) return file
  }
  return undefined
}

/** Keeps the first file of a digest: either both have the same bytes, or reading finds the wrong one. */
export function remember(table: Map<Digest, StoredFile>, digest: Digest, file: StoredFile): void {
  if (!table.has(digest)) table.set(digest, file)
}

export function rememberBytes(table: ContentTable, digest: Digest, bytes: Uint8Array): void {
  return remember(table.blobs, digest, memoryFile(bytes, digest))
}

/**
 * Adds every file below `blobs/<algorithm>/` whose name is a digest; other files are ignored (image-spec
 * image-layout.md).
 */
export function rememberLayoutBlobs(table: ContentTable, tree: FileTree): void {
  for (const {path, kind} of tree.entries) {
    if (kind === 'directory') continue
    if (kind === 'link' && LINKED.test(path)) table.linkedLayouts.push(tree)
    const [blobs, algorithm, hex, ...rest] = path.split('/')
    const digest = `${algorithm}:${hex}`
    if (blobs !== 'blobs' || rest.length > 0 || !isDigest(digest)) continue
    const file = tree.find(path)
    if (file !== undefined) remember(table.blobs, digest, file)
    else if (tree.leadsOut(path)) table.absent.set(digest, linkedAway(digest, path))
  }
}

/** Returns the reason why a blob is missing; undefined if no more is known than that it is. */
export function absenceOf(table: ContentTable, digest: Digest): Absence | undefined {
  const known = table.absent.get(digest)
  if (known !== undefined) return known
  for (const tree of table.linkedLayouts) {
    const path = ['blobs', `blobs/${algorithmOf(digest)}`].find((directory) => tree.leadsOut(directory))
    if (path !== undefined) return linkedAway(digest, path)
  }
  return undefined
}

function linkedAway(digest: Digest, path: string): Absence {
  return {
    message: `blob ${digest} is not in the bundle: ${path} is a link that leads out of it`,
    advice: {kind: 'follow-links'},
  }
}

const LINKED = /^blobs(?:\/sha(?:256|512))?$/
