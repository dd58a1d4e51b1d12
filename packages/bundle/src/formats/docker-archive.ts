import {
  digestOf,
  isDigest,
  isJsonObject,
  isMirrorError,
  isPending,
  limits,
  mediaTypes,
  MirrorError,
  type Content,
  type Descriptor,
  type Digest,
  type ImageRoot,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {whyMissing, type FileTree} from '../files/file-tree.js'
import {referenceIn} from '../names/recorded-name.js'
import {remember, rememberBytes} from '../contents/content-table.js'
import {isDockerManifest, parseDockerItems, type DockerItem} from './docker-items.js'
import {dockerLayer} from './docker-layer.js'
import type {Format, FormatContent} from './format.js'
import {imagesUnder} from './images-under.js'
import {madeManifest, pendingImage} from './pending-image.js'
import {archiveProducer} from './producer.js'
import {unnamedHint, type ReadContext} from './read-context.js'
import {invalid, readJson} from '../contents/read-json.js'

const MADE_ANEW =
  'a docker-archive does not hold the manifest that the image had at its registry, so it is recomputed'

/** Files that docker, podman and crane write besides the files that `manifest.json` names. */
const OWN =
  /^(?:manifest\.json|repositories|(?:.*\/)?(?:layer\.tar|json|VERSION)|(?:sha256:)?[0-9a-f]{64}(?:\.json|\.tar|\.tar\.gz|\.tgz|\.tar\.zst)?)$/

export const dockerArchive: Format = {
  name: 'docker-archive',
  detect: async (root) => isDockerManifest((await root.manifestJson())?.json),
  read: async (root, context) => {
    const found = await root.manifestJson()
    if (found === undefined || !isDockerManifest(found.json)) {
      throw invalid(root.tree.name, 'has no manifest.json of docker')
    }
    const items = parseDockerItems(found.json, found.file.name)
    return {...(await readDockerItems(root.tree, items, context)), producer: archiveProducer(items, root)}
  },
}

/** Returns the images of some items of a manifest.json. @throws {MirrorError} as `readDockerArchive` */
export async function readDockerItems(
  tree: FileTree,
  items: readonly DockerItem[],
  context: ReadContext,
): Promise<FormatContent> {
  const named = new Set(items.flatMap(({config, layers}) => [config, ...layers]))
  return {
    images: await readDockerArchive(tree, items, context),
    uses: (path) => named.has(path) || OWN.test(path),
  }
}

/**
 * Reads archives of docker save before 25, podman, skopeo, crane and kaniko: configs and layers, no manifests.
 * @throws {MirrorError} MANIFEST_INVALID, BLOB_MISSING (a config), DIGEST_MISMATCH (a config), LIMIT_EXCEEDED
 */
async function readDockerArchive(
  tree: FileTree,
  items: readonly DockerItem[],
  context: ReadContext,
): Promise<readonly SourceImage[]> {
  const layers = items.reduce((sum, item) => sum + item.layers.length, 0)
  if (layers > limits.dockerLayers) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${tree.name} lists ${layers} layers: over the limit of ${limits.dockerLayers}`,
      {side: 'source'},
    )
  }
  const images: SourceImage[] = []
  const configs: Configs = new Map()
  for (const item of items) {
    const shownAs = unnamedHint(context, item.repoTags[0])
    const image = await imageOf(tree, item, {...context, configs})
    const refused = item.repoTags.find((text) => text !== '<none>:<none>' && referenceIn(text) === undefined)
    images.push(
      ...imagesUnder(repoTagNames(item.repoTags), {
        shownAs,
        image: refused === undefined ? image : {...image, refusedName: refused},
      }),
    )
  }
  return images
}

/** An image without its names. */
export type NamelessImage = Pick<SourceImage, 'root' | 'digestChanged' | 'id'>

/** Returns the image of one item, with an error if it is damaged. */
export function dockerImage(tree: FileTree, item: DockerItem, context: ReadContext): Promise<NamelessImage> {
  return imageOf(tree, item, {...context, configs: new Map()})
}

/** Returns an image with an error if it is damaged, so that the other images are not affected. */
async function imageOf(
  tree: FileTree,
  item: DockerItem,
  context: ReadContext & {readonly configs: Configs},
): Promise<NamelessImage> {
  try {
    const root = await rootOf(tree, item, context)
    const id = context.configs.get(item.config)?.config.digest
    return {root, digestChanged: MADE_ANEW, id}
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED' || error.code === 'LIMIT_EXCEEDED') throw error
    return {root: {error}}
  }
}

/** Returns the full names among RepoTags; docker writes `<none>:<none>` for an image without a name. */
export function repoTagNames(repoTags: readonly string[]) {
  return repoTags.map((text) => referenceIn(text)).filter((name) => name !== undefined)
}

interface Config {
  readonly config: Descriptor
  readonly diffIds: readonly Digest[]
}

/** By the path of the file: many images may have one. */
type Configs = Map<string, Config>

async function rootOf(
  tree: FileTree,
  item: DockerItem,
  context: ReadContext & {readonly configs: Configs},
): Promise<ImageRoot> {
  const {config, diffIds} = await readConfig(tree, item, context)
  if (diffIds.length !== item.layers.length) {
    throw invalid(
      `${tree.name}: ${item.label}`,
      `lists ${item.layers.length} layers, and its config ${diffIds.length}`,
    )
  }
  const layers: Content[] = []
  for (const [index, path] of item.layers.entries()) {
    const diffId = diffIds[index]
    if (diffId !== undefined) layers.push(await dockerLayer(tree, {item, path, diffId, context}))
  }
  const known = layers.filter((layer): layer is Descriptor => !isPending(layer))
  if (known.length < layers.length) return {pending: pendingImage(config, layers)}
  const manifest = madeManifest(config, known)
  rememberBytes(context.table, manifest.descriptor.digest, manifest.bytes)
  return {manifest: manifest.descriptor}
}

async function readConfig(
  tree: FileTree,
  item: DockerItem,
  {table, signal, configs}: ReadContext & {readonly configs: Configs},
): Promise<Config> {
  const file = tree.find(item.config)
  if (file === undefined) {
    const why = whyMissing(tree, item.config)
    throw new MirrorError(
      'BLOB_MISSING',
      `the config ${item.config} of ${item.label} ${why} in ${tree.name}`,
      {
        side: 'source',
        advice: {kind: tree.leadsOut(item.config) ? 'follow-links' : 'make-again'},
      },
    )
  }
  const known = configs.get(item.config)
  if (known !== undefined) return known
  const {json, bytes} = await readJson(file, {limit: limits.configBytes, signal, strict: false})
  const digest = digestOf(bytes)
  const claimed = CONFIG_NAME.exec(item.config)?.[1]
  if (claimed !== undefined && digest !== `sha256:${claimed}`) {
    throw new MirrorError(
      'DIGEST_MISMATCH',
      `${file.name}, the config of ${item.label}, has the digest ${digest}`,
      {side: 'source', advice: {kind: 'make-again'}},
    )
  }
  remember(table.blobs, digest, file)
  const rootfs = isJsonObject(json) ? json['rootfs'] : undefined
  const diffIds: unknown = (isJsonObject(rootfs) ? rootfs['diff_ids'] : undefined) ?? []
  if (!Array.isArray(diffIds) || !diffIds.every((diffId) => isDigest(diffId))) {
    throw invalid(`${file.name}, the config of ${item.label},`, 'has no valid rootfs.diff_ids')
  }
  const config = {mediaType: mediaTypes.ociConfig, digest, size: bytes.length}
  configs.set(item.config, {config, diffIds})
  return {config, diffIds}
}

/** `<hex>.json` (docker, podman), `sha256:<hex>` (crane, kaniko), `blobs/sha256/<hex>` (docker ≥ 25). */
const CONFIG_NAME = /(?:^|[/:])([0-9a-f]{64})(?:\.json)?$/
