import {
  isManifestType,
  isMirrorError,
  limits,
  mediaTypes,
  type Descriptor,
  type Digest,
  type ImageManifest,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {blobPath} from '../contents/blob-path.js'
import {dockerImage, repoTagNames, type NamelessImage} from './docker-archive.js'
import {isDockerManifest, parseDockerItems, type DockerItem} from './docker-items.js'
import type {TreeRoot} from './format.js'
import {readJson} from '../contents/read-json.js'
import type {ReadContext} from './read-context.js'
import {peekManifest} from '../contents/read-manifest.js'

const MADE_UP =
  'docker made up this manifest over plain layers when it saved the image, so its registry had another one'

/** The data of docker's manifest.json beside an OCI layout, about the images of that layout. */
export interface DockerHybrid {
  /** The images in manifest.json; undefined if it is not there or not docker's. */
  readonly items: readonly DockerItem[] | undefined
  /** Returns the image behind a manifest that docker ≥ 25 made up; undefined if the manifest comes from a registry. */
  madeUp(descriptor: Descriptor): Promise<NamelessImage | undefined>
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
  const itemByConfig = new Map<string, DockerItem>()
  for (const item of items) {
    const {config, repoTags} = item
    tagsByConfig.set(config, [...(tagsByConfig.get(config) ?? []), ...repoTags])
    if (!itemByConfig.has(config)) itemByConfig.set(config, item)
  }
  const tagsOf = (manifest: ImageManifest) => tagsByConfig.get(blobPath(manifest.config))
  const madeUpImages = new Map<Digest, NamelessImage | undefined>()
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
        const item = manifest?.kind === 'image' ? itemByConfig.get(blobPath(manifest.config)) : undefined
        const isFound = manifest?.kind === 'image' && item !== undefined && isMadeUp(manifest, item)
        const image = isFound ? await madeUpImage(manifest, {item, root, context}) : undefined
        madeUpImages.set(descriptor.digest, image)
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

/**
 * docker ≥ 25 with its classic store has only plain layers and names the source of each. The first release candidate listed no
 * layers (moby/moby#47065). containerd lists plain layers, too, if the image was built with them, and names no sources.
 */
function isMadeUp({layers}: ImageManifest, item: DockerItem): boolean {
  if (layers.some(({mediaType}) => mediaType !== mediaTypes.ociLayer)) return false
  return item.layerSources.size > 0 || layers.length < item.layers.length
}

/** Docker 25.0.0 listed layers in any order (moby/moby#47150), so manifest.json and the config decide the order. */
async function madeUpImage(
  manifest: ImageManifest,
  {item, root, context}: {readonly item: DockerItem; readonly root: TreeRoot; readonly context: ReadContext},
): Promise<NamelessImage> {
  const paths = manifest.layers.map(({digest}) => blobPath({digest}))
  const isRight = paths.length === item.layers.length && paths.every((path, at) => path === item.layers[at])
  // If plain layers are wanted, docker's manifest already is the one that would be made here.
  if (context.compression === 'none' && isRight)
    return {root: {manifest: manifest.descriptor}, digestChanged: MADE_UP, id: manifest.config.digest}
  const image = await dockerImage(root.tree, item, context)
  return 'error' in image.root ? image : {...image, digestChanged: MADE_UP}
}
