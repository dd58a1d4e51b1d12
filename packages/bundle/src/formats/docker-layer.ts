import {isForeignLayerType, mediaTypes, type Content, type Digest} from '@airgap-mirror/oci-client/model'
import {whyMissing, type FileTree, type StoredFile} from '../files/file-tree.js'
import {SNIFF_BYTES, sniffContent} from '../files/sniff.js'
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
/** docker ≥ 25 and containerd; plain layers there are named after their diff id, which is their digest. */
const LAYOUT_NAME = /^blobs\/sha256\/([0-9a-f]{64})$/
/** skopeo and podman name plain layers after their diff id. */
const PLAIN_NAME = /(?:^|\/)([0-9a-f]{64})\.tar$/

/**
 * A layer of a docker-archive: as it is where its name tells its digest, else pending. A layer that is not there is told
 * when it is opened, since its image may be the only one that is damaged.
 */
export async function dockerLayer(tree: FileTree, place: LayerPlace): Promise<Content> {
  const {item, path, diffId, context} = place
  const file = tree.find(path)
  if (file === undefined) return absentLayer(tree, place)
  const compressed = digestIn(path, COMPRESSED_NAME) ?? digestIn(path, LAYOUT_NAME)
  if (compressed !== undefined && compressed !== diffId) {
    remember(context.table.blobs, compressed, file)
    const known = item.layerSources.get(diffId)
    const mediaType = known?.digest === compressed ? known.mediaType : await layerType(path, {file, context})
    return {mediaType, digest: compressed, size: file.size}
  }
  const plain = digestIn(path, PLAIN_NAME) ?? digestIn(path, LAYOUT_NAME)
  if (context.compression === 'none' && plain === diffId) {
    remember(context.table.blobs, diffId, file)
    return {mediaType: mediaTypes.ociLayer, digest: diffId, size: file.size}
  }
  remember(context.table.layers, diffId, file)
  return {diffId, size: file.size, mediaType: context.layerMediaType}
}

function absentLayer(tree: FileTree, {item, path, diffId, context}: LayerPlace): Content {
  const known = item.layerSources.get(diffId)
  if (known !== undefined && isForeignLayerType(known.mediaType)) return known
  const why = whyMissing(tree, path)
  context.table.absent.set(diffId, `the layer ${path} of ${item.label} ${why} in ${tree.name}`)
  return {diffId, size: 0, mediaType: context.layerMediaType}
}

function digestIn(path: string, pattern: RegExp): Digest | undefined {
  const hex = pattern.exec(path)?.[1]
  return hex === undefined ? undefined : `sha256:${hex}`
}

interface TypeQuestion {
  readonly file: StoredFile
  readonly context: ReadContext
}

// The name comes first: looking into the content of a source that is read in order costs another pass.
async function layerType(path: string, {file, context: {signal}}: TypeQuestion): Promise<string> {
  if (path.endsWith('gz')) return mediaTypes.ociLayerGzip
  if (path.endsWith('zst')) return mediaTypes.ociLayerZstd
  const kind = sniffContent(await file.read(0, SNIFF_BYTES, {signal}))
  if (kind === 'gzip') return mediaTypes.ociLayerGzip
  return kind === 'zstd' ? mediaTypes.ociLayerZstd : mediaTypes.ociLayer
}
