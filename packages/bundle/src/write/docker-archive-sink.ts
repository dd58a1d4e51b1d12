import {
  digestOf,
  hexOf,
  isDigest,
  isJsonObject,
  isPending,
  limits,
  mediaTypes,
  MirrorError,
  parseJsonObject,
  readAll,
  type BlobOutcome,
  type BlobSource,
  type Bytes,
  type CallOptions,
  type Descriptor,
  type Digest,
  type ImageManifest,
  type Manifest,
  type PutBlobOptions,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import type {ContentStore} from './content-store.js'
import type {FileSink} from './file-sink.js'
import {incomingBlob} from './incoming-blob.js'
import {plainLayer} from './plain-layer.js'
import {UnpackAccount} from './unpack-account.js'
import {refused} from './write-error.js'

export interface DockerArchiveSinkOptions {
  /** Returns the names of an image; an image without names is loaded without a name. */
  readonly repoTags: (target: Reference) => readonly string[]
  /** The limit of all layers of the archive together. Default: `limits.nestedBytes` and `limits.nestedRatio`. */
  readonly account?: UnpackAccount
}

interface ArchivedImage {
  readonly config: string
  readonly layers: readonly string[]
  readonly repoTags: string[]
}

/**
 * Writes an archive for `docker load` and `podman load`: unchanged configs, plain layers under their diff ID, no
 * manifests. Single-platform images only. It is a new archive: an existing archive is not read.
 */
export class DockerArchiveSink implements FileSink {
  readonly #store: ContentStore
  readonly #options: DockerArchiveSinkOptions
  readonly #configs = new Map<Digest, Uint8Array>()
  /** The diff ID of every layer, by the digest in its manifest. */
  readonly #diffIds = new Map<Digest, Digest>()
  /** The diff ID that a config announced for a layer, by the digest in its manifest. */
  readonly #announced = new Map<Digest, Digest>()
  readonly #images = new Map<string, ArchivedImage>()
  readonly #account: UnpackAccount

  constructor(store: ContentStore, options: DockerArchiveSinkOptions) {
    this.#store = store
    this.#options = options
    this.#account = options.account ?? new UnpackAccount()
  }

  async announce(manifest: ImageManifest, config: BlobSource, {signal}: CallOptions = {}): Promise<void> {
    const bytes = await readConfig(incomingBlob(config, {signal}).bytes, manifest.config.digest, {signal})
    const said = diffIdsIn(bytes, manifest)
    for (const [index, {digest}] of manifest.layers.entries()) {
      const diffId = said[index]
      if (diffId === undefined || (this.#announced.get(digest) ?? diffId) !== diffId)
        throw otherLayers(manifest)
      this.#announced.set(digest, diffId)
    }
  }

  async resolve(): Promise<undefined> {}

  async manifest(): Promise<undefined> {}

  async hasBlob(_repository: string, digest: Digest): Promise<boolean> {
    return this.#configs.has(digest) || this.#diffIds.has(digest)
  }

  async putBlob(_repository: string, blob: BlobSource, options: PutBlobOptions = {}): Promise<BlobOutcome> {
    const {content} = blob
    const {signal} = options
    if (!isPending(content) && this.#isThere(content)) return {how: 'present', descriptor: content}
    const {bytes, descriptor} = incomingBlob(blob, options)
    if (!isPending(content) && CONFIG_TYPES.has(content.mediaType)) {
      this.#configs.set(content.digest, await readConfig(bytes, content.digest, {signal}))
    } else {
      const key = isPending(content) ? content.diffId : content.digest
      const layer = plainLayer(bytes, {name: `layer ${key}`, account: this.#account, signal})
      const place = async (): Promise<string | undefined> => {
        const made = descriptor()
        const diffId = layer.diffId()
        const expected = isPending(content) ? content.diffId : this.#announced.get(made.digest)
        if (expected !== undefined && expected !== diffId) throw otherLayer(key, {diffId, expected})
        if (isPending(content)) await options.onFinal?.(made)
        const path = layerPath(diffId)
        this.#diffIds.set(made.digest, diffId)
        return (await this.#store.sizeOf(path)) === undefined ? path : undefined
      }
      await this.#store.writeUnnamed(layer.bytes, {place, signal})
    }
    return {how: 'uploaded', descriptor: descriptor(), sent: descriptor().size, attempts: 1}
  }

  async putManifest(target: Reference, manifest: Manifest): Promise<void> {
    if (manifest.kind === 'index') {
      throw refused('a docker-archive holds images of one platform, and this one has several', {
        kind: 'choose-one-platform',
      })
    }
    const config = this.#configs.get(manifest.config.digest)
    if (config === undefined) throw lacking(manifest.config)
    const diffIds = this.#layersOf(manifest)
    refuseOtherLayers(config, {manifest, diffIds})
    const path = `${hexOf(digestOf(config))}.json`
    const image = this.#images.get(path) ?? {config: path, layers: diffIds.map(layerPath), repoTags: []}
    image.repoTags.push(...this.#options.repoTags(target))
    this.#images.set(path, image)
  }

  async finish(options: CallOptions = {}): Promise<void> {
    if (this.#images.size === 0) return
    const files = new Map<string, Uint8Array>()
    for (const config of this.#configs.values()) {
      const path = `${hexOf(digestOf(config))}.json`
      if (this.#images.has(path)) files.set(path, config)
    }
    const items = [...this.#images.values()].map(({config, layers, repoTags}) => ({
      Config: config,
      RepoTags: repoTags,
      Layers: layers,
    }))
    files.set('manifest.json', Buffer.from(JSON.stringify(items)))
    await this.#store.finish(files, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close()
  }

  /** Returns false for a layer that a config expects to unpack to something else: putting it again says so. */
  #isThere({digest}: Descriptor): boolean {
    const diffId = this.#diffIds.get(digest)
    if (diffId === undefined) return this.#configs.has(digest)
    return (this.#announced.get(digest) ?? diffId) === diffId
  }

  #layersOf({layers}: ImageManifest): readonly Digest[] {
    return layers.map((layer) => {
      const diffId = this.#diffIds.get(layer.digest)
      if (diffId === undefined) throw lacking(layer)
      return diffId
    })
  }
}

const CONFIG_TYPES: ReadonlySet<string> = new Set([
  mediaTypes.ociConfig,
  mediaTypes.dockerConfig,
  // Registries gave configs this type in docker's early days.
  'application/octet-stream',
])

function layerPath(diffId: Digest): string {
  return `${hexOf(diffId)}.tar`
}

function lacking({digest, mediaType}: Descriptor): MirrorError {
  return new MirrorError(
    'SOURCE_UNSUPPORTED',
    `a docker-archive cannot hold this image: it has no place for ${digest} (${mediaType})`,
    {side: 'source', advice: {kind: 'use-oci-archive'}},
  )
}

function refuseOtherLayers(
  config: Uint8Array,
  {manifest, diffIds}: {readonly manifest: ImageManifest; readonly diffIds: readonly Digest[]},
): void {
  const said = diffIdsIn(config, manifest)
  if (!diffIds.every((id, index) => id === said[index])) throw otherLayers(manifest)
}

/** Returns the diff IDs in a config, one for each layer. @throws {MirrorError} DIGEST_MISMATCH for anything else */
function diffIdsIn(config: Uint8Array, manifest: ImageManifest): readonly Digest[] {
  const {rootfs} = parseJsonObject(config, `the config ${manifest.config.digest}`)
  const said: unknown = isJsonObject(rootfs) ? (rootfs['diff_ids'] ?? []) : undefined
  const isListed = Array.isArray(said) && said.length === manifest.layers.length
  if (!isListed || !said.every(isDigest)) throw otherLayers(manifest)
  return said
}

function otherLayers({descriptor, config}: ImageManifest): MirrorError {
  return mismatch(
    `the layers of ${descriptor.digest} do not unpack to the diff IDs in its config ${config.digest}`,
  )
}

function otherLayer(
  layer: Digest,
  {diffId, expected}: Readonly<Record<'diffId' | 'expected', Digest>>,
): MirrorError {
  return mismatch(`the layer ${layer} unpacks to ${diffId}, not to the diff ID ${expected} of its config`)
}

function mismatch(message: string): MirrorError {
  return new MirrorError('DIGEST_MISMATCH', message, {side: 'source', advice: {kind: 'make-again'}})
}

function readConfig(bytes: Bytes, digest: Digest, {signal}: CallOptions): Promise<Uint8Array> {
  return readAll(bytes, {limit: limits.configBytes, what: `the config ${digest}`, signal})
}
