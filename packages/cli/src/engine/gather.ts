import pLimit from 'p-limit'
import {whyLost} from './lost-blob.js'
import {
  isBlobType,
  isForeignLayerType,
  isMirrorError,
  isPending,
  limits,
  MirrorError,
  type CallOptions,
  type Content,
  type Descriptor,
  type Digest,
  type ImageSource,
  type Manifest,
  type PendingImage,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'

/** A manifest with all that the source has below it. Nodes are shared: the same digest is one object. */
export interface ImageNode {
  readonly manifest: Manifest
  /** The children of an index that are present. */
  readonly children: readonly ImageNode[]
  /** The children of an index that the source lacks or that were not chosen. */
  readonly absent: readonly Descriptor[]
  /** Own blobs that the source lacks; foreign layers do not count. */
  readonly missing: readonly Descriptor[]
}

export type Gathered =
  | {readonly image: SourceImage; readonly node: ImageNode}
  | {readonly image: SourceImage; readonly pending: PendingImage}
  | {readonly image: SourceImage; readonly error: MirrorError}

/** The most children of an index, because a registry is asked for each. */
const CHILDREN_AT_ONCE = 8

/** Reads the manifests of every image of a source. An unreadable image becomes an `error`; the others go on. */
export async function gather(source: ImageSource, options: CallOptions = {}): Promise<readonly Gathered[]> {
  return gatherImages(await source.images(options), {...options, source})
}

export interface GatherOptions extends CallOptions {
  readonly source: ImageSource
  /** Which children of an image's own index are read; absent: all. A registry may count every one that is. */
  readonly chosen?: (children: readonly Descriptor[]) => ReadonlySet<Digest>
}

/** The same for some images of a source. */
export async function gatherImages(
  images: readonly SourceImage[],
  {source, chosen, ...options}: GatherOptions,
): Promise<readonly Gathered[]> {
  const nodes = new Map<string, Promise<ImageNode>>()
  const lacking = new Map<PendingImage, Content | undefined>()
  const atOnce = pLimit(16)
  return Promise.all(
    images.map((image) =>
      atOnce(async (): Promise<Gathered> => {
        if ('error' in image.root) return {image, error: image.root.error}
        if ('pending' in image.root) return pendingOf(image, image.root.pending, {source, lacking})
        try {
          return {
            image,
            node: await readNode(image.root.manifest, {source, nodes, options, chosen, depth: 0}),
          }
        } catch (error) {
          if (isMirrorError(error) && error.code !== 'CANCELLED') return {image, error}
          throw error
        }
      }),
    ),
  )
}

/** The digest of an image's root; absent while it is pending, or if the image cannot be read. */
export function rootDigest(gathered: Gathered): Digest | undefined {
  return 'manifest' in gathered.image.root ? gathered.image.root.manifest.digest : undefined
}

/** Every node of a tree once, children before parents. */
export function nodesOf(root: ImageNode): readonly ImageNode[] {
  const seen = new Set<ImageNode>()
  const visit = (node: ImageNode): void => {
    if (seen.has(node)) return
    for (const child of node.children) visit(child)
    seen.add(node)
  }
  visit(root)
  return [...seen]
}

/** An image's own blobs that have to be at the target: all but foreign layers that the source does not hold. */
export function blobsOf(manifest: Manifest, source: Pick<ImageSource, 'has'>): readonly Descriptor[] {
  return manifest.kind === 'index'
    ? manifest.children.filter((child) => isBlobType(child.mediaType) && source.has(child))
    : [manifest.config, ...manifest.layers].filter((blob) => isNeeded(blob, source))
}

/** Returns true if the content has to be at the target. Foreign layers that the source lacks do not. */
export function isNeeded(content: Content, source: Pick<ImageSource, 'has'>): boolean {
  return isPending(content) || !isForeignLayerType(content.mediaType) || source.has(content)
}

interface Reading {
  readonly source: ImageSource
  readonly nodes: Map<string, Promise<ImageNode>>
  readonly options: CallOptions
  readonly chosen: GatherOptions['chosen'] | undefined
  readonly depth: number
}

function readNode(descriptor: Descriptor, reading: Reading): Promise<ImageNode> {
  // A descriptor with a wrong size must neither pass for nor spoil a descriptor with the right size.
  const key = `${descriptor.digest} ${descriptor.size}${reading.chosen === undefined ? '' : ' in part'}`
  const known = reading.nodes.get(key)
  if (known !== undefined) return known
  const read = readNodeAnew(descriptor, reading)
  reading.nodes.set(key, read)
  return read
}

async function readNodeAnew(descriptor: Descriptor, reading: Reading): Promise<ImageNode> {
  const {source, options, chosen, depth} = reading
  if (depth > limits.indexDepth) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${descriptor.digest} lies more than ${limits.indexDepth} indexes deep`,
      {side: 'source'},
    )
  }
  const manifest = await source.manifest(descriptor, options)
  if (manifest.kind === 'image') {
    const missing = blobsOf(manifest, source).filter((blob) => !source.has(blob))
    return {manifest, children: [], absent: [], missing}
  }
  const distinct = [
    ...new Map(manifest.children.map((child) => [`${child.digest} ${child.size}`, child])).values(),
  ]
  const atOnce = pLimit(CHILDREN_AT_ONCE)
  const below = {...reading, chosen: undefined, depth: depth + 1}
  const wanted = chosen?.(manifest.children)
  const isChosen = (child: Descriptor): boolean => source.has(child) && wanted?.has(child.digest) !== false
  const isRead = (child: Descriptor): boolean => isChosen(child) && !isBlobType(child.mediaType)
  const nodes = await Promise.all(
    distinct.map((child) => atOnce(() => (isRead(child) ? readChild(child, below) : undefined))),
  )
  const children = nodes.filter((node) => node !== undefined)
  refuseOtherTypes(manifest.children, children)
  const absent = distinct.filter(
    (child, index) => nodes[index] === undefined && !(isBlobType(child.mediaType) && isChosen(child)),
  )
  return {manifest, children, absent, missing: []}
}

/**
 * Programs take the type of a child from the index or from the child, and would read two different manifests.
 * @throws {MirrorError} MANIFEST_INVALID
 */
function refuseOtherTypes(descriptors: readonly Descriptor[], children: readonly ImageNode[]): void {
  const stated = new Map(children.map(({manifest}) => [manifest.descriptor.digest, manifest.statedType]))
  for (const {digest, mediaType} of descriptors) {
    const own = stated.get(digest)
    if (own === undefined || own === mediaType) continue
    throw new MirrorError('MANIFEST_INVALID', `an index calls ${digest} ${mediaType}, and it is ${own}`, {
      side: 'source',
      advice: {kind: 'make-again'},
    })
  }
}

/** Returns the bytes of all blobs that an image has below it, each once. */
export function bytesBelow(node: ImageNode, source: ImageSource): number {
  const sizes = new Map(
    nodesOf(node).flatMap(({manifest}) => blobsOf(manifest, source).map(({digest, size}) => [digest, size])),
  )
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

/** Undefined if only an attempt shows that the source lacks the child: a registry may hold a sparse index, too. */
async function readChild(child: Descriptor, reading: Reading): Promise<ImageNode | undefined> {
  try {
    return await readNode(child, reading)
  } catch (error) {
    if (isMirrorError(error) && error.code === 'BLOB_MISSING') return undefined
    throw error
  }
}

/** `lacking`: what the source lacks of those seen before, since one image may have many names. */
function pendingOf(
  image: SourceImage,
  pending: PendingImage,
  known: {readonly source: ImageSource; readonly lacking: Map<PendingImage, Content | undefined>},
): Gathered {
  const {source, lacking} = known
  if (!lacking.has(pending)) {
    const contents = [pending.config, ...pending.layers]
    lacking.set(
      pending,
      contents.find((content) => isNeeded(content, source) && !source.has(content)),
    )
  }
  const absent = lacking.get(pending)
  if (absent === undefined) return {image, pending}
  const what = isPending(absent) ? `layer ${absent.diffId}` : `blob ${absent.digest}`
  const error =
    whyLost(absent, source) ?? new MirrorError('BLOB_MISSING', `the source lacks ${what}`, {side: 'source'})
  return {image, error}
}
