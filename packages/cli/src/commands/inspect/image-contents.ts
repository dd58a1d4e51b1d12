import {
  contentKey,
  formatPlatform,
  isBlobType,
  isForeignLayerType,
  isPending,
  mediaTypes,
  type Content,
  type Digest,
  type ImageSource,
  type Platform,
} from '@airgap-mirror/oci-client/model'
import type {Gathered, ImageNode} from '../../engine/gather.js'
import {isAttestation} from '../../names/platforms.js'
import type {InspectedContent, InspectedPlatform} from './inspection.js'

/** A manifest or blob of an image. Its number of images is counted over the whole bundle. */
export type ImageContent = Omit<InspectedContent, 'images'>

export interface ContentOptions {
  readonly source: Pick<ImageSource, 'has'>
  /** Blobs that a delta bundle leaves out. */
  readonly leftOut: ReadonlySet<Digest>
}

/** Returns every manifest and blob of an image once, parents before children. */
export function contentsOf(gathered: Gathered, options: ContentOptions): readonly ImageContent[] {
  const found = new Map<Digest, ImageContent>()
  const add = (content: ImageContent): void => {
    if (!found.has(content.digest)) found.set(content.digest, content)
  }
  if ('pending' in gathered) {
    const {config, layers} = gathered.pending
    add(blob(config, {role: 'config', options}))
    for (const layer of layers) add(blob(layer, {role: 'layer', options}))
  } else if ('node' in gathered) {
    for (const content of below(gathered.node, {options, platform: undefined})) add(content)
  }
  return [...found.values()]
}

/** Returns the platforms that an index lists, whether or not the bundle holds them. Attestations do not count. */
export function platformsIn(root: ImageNode, options: ContentOptions): readonly InspectedPlatform[] {
  if (root.manifest.kind !== 'index') return []
  const nodes = childNodes(root)
  return root.manifest.children.flatMap((child): readonly InspectedPlatform[] => {
    const node = nodes.get(child.digest)
    if (node?.manifest.kind === 'index') return platformsIn(node, options)
    if (isAttestation(child) || isBlobType(child.mediaType)) return []
    const platform = child.platform === undefined ? 'unknown' : nameOf(child.platform)
    const {digest} = child
    if (node === undefined) return [{platform, digest, present: false, bytes: 0, layers: 0}]
    return [{platform, digest, present: true, ...sizeOf([...below(node, {options, platform})])}]
  })
}

/** Returns the bytes that are here, and the number of layers. */
export function sizeOf(contents: readonly ImageContent[]): {readonly bytes: number; readonly layers: number} {
  const distinct = new Map(contents.map((content) => [content.digest, content]))
  const here = [...distinct.values()].filter(({state}) => state === 'here')
  return {
    bytes: here.reduce((sum, {bytes}) => sum + bytes, 0),
    layers: contents.filter(({role}) => role === 'layer').length,
  }
}

/** The manifests of a tree that buildkit put into it as attestations, with the digest they are about. */
export function attestationsIn(
  root: ImageNode,
): readonly {readonly node: ImageNode; readonly subject: string | undefined}[] {
  if (root.manifest.kind !== 'index') return []
  const nodes = childNodes(root)
  return root.manifest.children.flatMap((child) => {
    const node = nodes.get(child.digest)
    if (node === undefined) return []
    if (node.manifest.kind === 'index') return attestationsIn(node)
    return isAttestation(child) ? [{node, subject: child.annotations?.['vnd.docker.reference.digest']}] : []
  })
}

function childNodes({children}: ImageNode): ReadonlyMap<Digest, ImageNode> {
  return new Map(children.map((node) => [node.manifest.descriptor.digest, node]))
}

interface Below {
  readonly options: ContentOptions
  readonly platform: string | undefined
}

function* below({manifest, ...node}: ImageNode, {options, platform}: Below): Generator<ImageContent> {
  const {mediaType, digest, size} = manifest.descriptor
  const role = manifest.kind === 'index' ? 'index' : 'manifest'
  yield {role, digest, mediaType, bytes: size, state: 'here', platform}
  if (manifest.kind === 'image') {
    yield {...blob(manifest.config, {role: 'config', options}), platform}
    for (const layer of manifest.layers) yield {...blob(layer, {role: 'layer', options}), platform}
    return
  }
  const nodes = childNodes({manifest, ...node})
  for (const child of manifest.children) {
    const next = nodes.get(child.digest)
    if (next !== undefined) {
      const own = child.platform === undefined || isAttestation(child) ? platform : nameOf(child.platform)
      yield* below(next, {options, platform: own})
    } else if (isBlobType(child.mediaType) && options.source.has(child)) {
      yield blob(child, {role: 'blob', options})
    }
  }
}

function blob(
  content: Content,
  {role, options}: {readonly role: ImageContent['role']; readonly options: ContentOptions},
): ImageContent {
  const {mediaType, size} = content
  const state = stateOf(content, options)
  return {
    role,
    digest: contentKey(content),
    mediaType: isPending(content) ? mediaTypes.ociLayer : mediaType,
    bytes: size,
    state,
  }
}

function stateOf(content: Content, {source, leftOut}: ContentOptions): ImageContent['state'] {
  if (source.has(content)) return 'here'
  if (leftOut.has(contentKey(content))) return 'left-out'
  return !isPending(content) && isForeignLayerType(content.mediaType) ? 'foreign' : 'missing'
}

function nameOf(platform: Platform): string {
  const {osVersion} = platform
  return osVersion === undefined ? formatPlatform(platform) : `${formatPlatform(platform)} ${osVersion}`
}
