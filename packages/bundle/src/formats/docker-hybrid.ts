import {
  isManifestType,
  isMirrorError,
  limits,
  mediaTypes,
  type Content,
  type Descriptor,
  type Digest,
  type ImageManifest,
  type ImageRoot,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {blobPath, findBlob, remember, type ContentTable} from '../contents/content-table.js'
import {repoTagNames} from './docker-archive.js'
import {isDockerManifest, parseDockerItems, type DockerItem} from './docker-items.js'
import type {TreeRoot} from './format.js'
import {readJson} from '../contents/read-json.js'
import {pendingImage} from './pending-image.js'
import type {ReadContext} from './read-context.js'
import {peekManifest} from '../contents/read-manifest.js'

const MADE_UP =
  'docker made up this manifest over plain layers when it saved the image, so its registry had another one'

interface MadeUpImage {
  readonly root: ImageRoot
  readonly digestChanged: string
  readonly id: Digest
}

/** The data of docker's manifest.json beside an OCI layout, about the images of that layout. */
export interface DockerHybrid {
  /** The images in manifest.json; undefined if it is not there or not docker's. */
  readonly items: readonly DockerItem[] | undefined
  /** Returns the image behind a manifest that docker ≥ 25 made up; undefined if the manifest comes from a registry. */
  madeUp(descriptor: Descriptor): Promise<MadeUpImage | undefined>
  /** Returns the RepoTags of the image with this manifest, or of an image in this index. */
  names(descriptor: Descriptor): Promise<readonly Reference[]>
}

const NO_HYBRID: DockerHybrid = {
  items: undefined,
  madeUp: async () => undefined,
  names: async () => [],
}

/** @throws {MirrorError} MANIFEST_INVALID, LIMIT_EXCEEDED (manifest.json) */
export async function dockerHybrid(root: TreeRoot, context: ReadContext): Promise<DockerHybrid> {
  const items = await itemsBeside(root, context)
  if (items.length === 0) return NO_HYBRID
  const tagsByConfig = new Map<string, readonly string[]>()
  for (const {config, repoTags} of items) {
    tagsByConfig.set(config, [...(tagsByConfig.get(config) ?? []), ...repoTags])
  }
  const tagsOf = (manifest: ImageManifest) => tagsByConfig.get(blobPath(manifest.config.digest))
  const madeUpImages = new Map<Digest, MadeUpImage | undefined>()
  const namesKnown = new Map<Digest, readonly Reference[]>()
  const namesOf = async (descriptor: Descriptor): Promise<readonly Reference[]> => {
    const manifest = await peekManifest(context.table, descriptor, context)
    if (manifest === undefined) return []
    if (manifest.kind === 'image') return repoTagNames(tagsOf(manifest) ?? [])
    for (const child of manifest.children) {
      const image = await peekManifest(context.table, child, context)
      const tags = image?.kind === 'image' ? tagsOf(image) : undefined
      if (tags !== undefined) return repoTagNames(tags)
    }
    return []
  }
  return {
    items,
    madeUp: async (descriptor) => {
      if (!isManifestType(descriptor.mediaType)) return undefined
      if (!madeUpImages.has(descriptor.digest)) {
        const manifest = await peekManifest(context.table, descriptor, context)
        const found =
          manifest?.kind === 'image' && tagsOf(manifest) !== undefined && isOverPlainLayers(manifest)
        madeUpImages.set(descriptor.digest, found ? madeUpImage(manifest, context) : undefined)
      }
      return madeUpImages.get(descriptor.digest)
    },
    names: async (descriptor) => {
      const names = namesKnown.get(descriptor.digest) ?? (await namesOf(descriptor))
      namesKnown.set(descriptor.digest, names)
      return names
    },
  }
}

/** Returns the items of manifest.json, and those of each manifest.json that it replaced in the archive. */
async function itemsBeside(root: TreeRoot, {signal}: ReadContext): Promise<readonly DockerItem[]> {
  const found = await root.manifestJson()
  const items = found === undefined ? [] : itemsIn(found.json, found.file.name)
  const earlier = (root.tree.replaced?.('manifest.json') ?? []).map(async (file) => {
    try {
      return itemsIn((await readJson(file, {limit: limits.bundleIndexBytes, signal})).json, file.name)
    } catch (error) {
      // Reported where the images of that list are read.
      if (isMirrorError(error) && error.code === 'MANIFEST_INVALID') return []
      throw error
    }
  })
  return [...items, ...(await Promise.all(earlier)).flat()]
}

function itemsIn(json: unknown, name: string): readonly DockerItem[] {
  return isDockerManifest(json) ? parseDockerItems(json, name) : []
}

function isOverPlainLayers({layers}: ImageManifest): boolean {
  return layers.length > 0 && layers.every(({mediaType}) => mediaType === mediaTypes.ociLayer)
}

function madeUpImage(manifest: ImageManifest, context: ReadContext): MadeUpImage {
  const {digest, size} = manifest.config
  // With plain layers wanted, docker's manifest already is what would be made here.
  if (context.compression === 'none')
    return {root: {manifest: manifest.descriptor}, digestChanged: MADE_UP, id: digest}
  const config = {mediaType: mediaTypes.ociConfig, digest, size}
  const layers = manifest.layers.map((layer) => plainLayer(layer, context))
  return {root: {pending: pendingImage(config, layers)}, digestChanged: MADE_UP, id: digest}
}

// The digest of a plain layer is its diff ID.
function plainLayer({digest, size}: Descriptor, {table, layerMediaType}: ReadContext): Content {
  rememberLayer(table, digest)
  return {diffId: digest, size, mediaType: layerMediaType}
}

function rememberLayer(table: ContentTable, digest: Digest): void {
  const file = findBlob(table, digest)
  if (file !== undefined) remember(table.layers, digest, file)
}
