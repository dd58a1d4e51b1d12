import {isForeignLayerType, mediaTypes, type Content, type Digest} from '@airgap-mirror/oci-client/model'
import {whyMissing, type FileTree, type StoredFile} from '../files/file-tree.js'
import {SNIFF_BYTES, sniffContent, type ContentKind} from '../files/sniff.js'
import {isRead, notRead} from '../codecs/sniff.js'
import {invalid} from '../contents/read-json.js'
import {remember} from '../contents/content-table.js'
import type {DockerItem} from './docker-items.js'
import type {ReadContext} from './read-context.js'

interface LayerPlace {
  readonly item: DockerItem
  readonly path: string
  readonly diffId: Digest
  readonly context: ReadContext
}

/** crane and kaniko name compressed layers after their digest. */
const COMPRESSED_NAME = /(?:^|\/)([0-9a-f]{64})\.(?:tar\.gz|tgz|tar\.zst)$/
/** docker ≥ 25 and containerd name plain layers after their diff ID, which is their digest. */
const LAYOUT_NAME = /^blobs\/sha256\/([0-9a-f]{64})$/
/** skopeo and podman name plain layers after their diff ID. */
const PLAIN_NAME = /(?:^|\/)([0-9a-f]{64})\.tar$/

/**
 * Returns a layer of a docker-archive: unchanged if its name tells its digest and registries know its compression, else
 * pending. A missing layer is reported when it is opened, because its image may be the only damaged one.
 * @throws {MirrorError} SOURCE_UNSUPPORTED for a compression that is not read, MANIFEST_INVALID if it is not a tar
 */
export async function dockerLayer(tree: FileTree, place: LayerPlace): Promise<Content> {
  const {item, path, diffId, context} = place
  const file = tree.find(path)
  if (file === undefined) return absentLayer(tree, place)
  const kind = await kindOf(file, context)
  if (kind === 'other') {
    throw invalid(`${file.name}, a layer of ${item.label},`, 'is neither a tar nor compressed')
  }
  if (kind !== 'tar' && !isRead(kind)) throw notRead(file.name, kind)
  const named = digestIn(path, COMPRESSED_NAME) ?? digestIn(path, LAYOUT_NAME)
  if (named !== undefined && named !== diffId && kind in STORED_TYPES) {
    remember(context.table.blobs, named, file)
    const known = item.layerSources.get(diffId)
    const isForeign = known?.digest === named && isForeignLayerType(known.mediaType)
    const mediaType = isForeign ? known.mediaType : STORED_TYPES[kind as keyof typeof STORED_TYPES]
    return {mediaType, digest: named, size: file.size}
  }
  const plain = digestIn(path, PLAIN_NAME) ?? digestIn(path, LAYOUT_NAME)
  if (context.compression === 'none' && plain === diffId && kind === 'tar') {
    remember(context.table.blobs, diffId, file)
    return {mediaType: mediaTypes.ociLayer, digest: diffId, size: file.size}
  }
  remember(context.table.layers, diffId, file)
  return {diffId, size: file.size, mediaType: context.layerMediaType}
}

/** Compressions that registries and runtimes know for layers. */
const STORED_TYPES = {gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd} as const

// By content, not by name: crane, ko and kaniko called zstd layers `.tar.gz` (go-containerregistry issue 2382).
async function kindOf(file: StoredFile, {signal}: ReadContext): Promise<ContentKind> {
  const head = await file.read(0, SNIFF_BYTES, {signal})
  // An empty layer is a tar with only its end mark, or no bytes at all.
  return head.every((byte) => byte === 0) ? 'tar' : sniffContent(head)
}

function absentLayer(tree: FileTree, {item, path, diffId, context}: LayerPlace): Content {
  const known = item.layerSources.get(diffId)
  if (known !== undefined && isForeignLayerType(known.mediaType)) return known
  const why = whyMissing(tree, path)
  context.table.absent.set(diffId, {
    message: `the layer ${path} of ${item.label} ${why} in ${tree.name}`,
    advice: {kind: tree.leadsOut(path) ? 'follow-links' : 'complete-archive'},
  })
  return {diffId, size: 0, mediaType: context.layerMediaType}
}

function digestIn(path: string, pattern: RegExp): Digest | undefined {
  const hex = pattern.exec(path)?.[1]
  return hex === undefined ? undefined : `sha256:${hex}`
}
