import pLimit from 'p-limit'
import type {RegistryClient} from '../client/client.js'
import {readTags} from '../client/list-tags.js'
import {readManifest} from '../client/read-manifest.js'
import {sleep} from '../http/sleep.js'
import {
  childrenOf,
  formatReference,
  isForeignLayerType,
  isMirrorError,
  isPending,
  limits,
  MirrorError,
  type BlobSource,
  type CallOptions,
  type Content,
  type Descriptor,
  type Digest,
  type Manifest,
  type Place,
  type Reference,
  type SourceImage,
} from '../model/index.js'
import {downloadBlob} from './download-blob.js'
import {ContentPlaces, firstPlace} from './places.js'
import {referrerWalk, type ReferrersOptions, type ReferrerWalk} from './referrer-walk.js'
import type {RegistrySource, RegistrySourceOptions} from './registry-source.js'
import {resolveReference} from './resolve-reference.js'
import {SourceHosts} from './source-hosts.js'

/** References resolved at once. Each host has its own, smaller bound. */
const RESOLVED_AT_ONCE = 64

/**
 * Opens images of one or many registries. Each host is connected to once, when first needed.
 * `images` sends one HEAD for a reference, and never fails for a single reference: its root is then an error.
 */
export function openRegistrySource(options: RegistrySourceOptions): RegistrySource {
  return new RegistryImages(options)
}

class RegistryImages implements RegistrySource {
  readonly access = 'random'
  readonly #options: RegistrySourceOptions
  readonly #hosts: SourceHosts
  readonly #places = new ContentPlaces()
  /** The names of the images found so far, by their digest. */
  readonly #roots = new Map<Digest, Reference>()
  readonly #manifests = new Map<Digest, Promise<Manifest>>()
  readonly #walk: ReferrerWalk
  #listing: Promise<readonly SourceImage[]> | undefined
  #downloaded = 0

  constructor(options: RegistrySourceOptions) {
    this.#options = options
    this.#hosts = new SourceHosts(options.registryFor)
    this.#walk = referrerWalk({
      hosts: this.#hosts,
      places: this.#places,
      manifest: (descriptor, call) => this.manifest(descriptor, call),
    })
  }

  get usage(): RegistrySource['usage'] {
    return {...this.#hosts.usage, downloaded: this.#downloaded}
  }

  images(call: CallOptions = {}): Promise<readonly SourceImage[]> {
    if (this.#listing === undefined) {
      this.#listing = this.imagesAt(this.#options.references, call)
      this.#listing.catch(() => (this.#listing = undefined))
    }
    return this.#listing
  }

  imagesAt(references: readonly Reference[], call: CallOptions = {}): Promise<readonly SourceImage[]> {
    const signal = this.#signalOf(call)
    const atOnce = pLimit(RESOLVED_AT_ONCE)
    const distinct = new Map(references.map((name) => [formatReference(name), name]))
    // The first image of a registry goes ahead: only it is refused for lack of a login, which the others then use.
    const ahead = new Map<string, Promise<SourceImage>>()
    return Promise.all(
      [...distinct.values()].map((name) => {
        const first = ahead.get(name.registry)
        if (first !== undefined) return first.then(() => atOnce(() => this.#imageOf(name, signal)))
        const image = atOnce(() => this.#imageOf(name, signal))
        ahead.set(name.registry, image)
        return image
      }),
    )
  }

  manifest(descriptor: Descriptor, call: CallOptions = {}): Promise<Manifest> {
    const known = this.#manifests.get(descriptor.digest)
    if (known !== undefined) return known
    const reading = this.#fetchManifest(descriptor, this.#signalOf(call))
    this.#manifests.set(descriptor.digest, reading)
    // A failed read may be repeated.
    reading.catch(() => this.#manifests.delete(descriptor.digest))
    return reading
  }

  /** Returns false for foreign layers, which are at their URLs. The registry is not asked for them. */
  has(content: Content): boolean {
    return !isPending(content) && !isForeignLayerType(content.mediaType)
  }

  blob(content: Content): BlobSource {
    if (isPending(content)) throw missing(content.diffId)
    if (!this.has(content)) throw missing(content.digest)
    return {
      content,
      open: ({offset = 0, signal} = {}) =>
        downloadBlob({
          hosts: this.#hosts,
          places: this.#places.of(content.digest),
          content,
          offset,
          signal: this.#signalOf({signal}),
          onBytes: (count) => (this.#downloaded += count),
        }),
    }
  }

  blobIn(place: Place, content: Descriptor): BlobSource {
    this.#places.add(content.digest, [placeOf(place)])
    return this.blob(content)
  }

  async referrersOf(image: SourceImage, call: ReferrersOptions = {}): Promise<readonly SourceImage[]> {
    return this.#options.referrers ? this.#walk(image, {...call, signal: this.#signalOf(call)}) : []
  }

  async listTags(registry: string, repository: string, call: CallOptions = {}): Promise<readonly string[]> {
    const signal = this.#signalOf(call)
    const first = await firstPlace(this.#fetchedFrom({registry, repository}), (place) =>
      readTags(this.#hosts.at(place.registry).client, {place: placeOf(place), signal}),
    )
    if (first?.found.complete === true) return first.found.tags
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `the list of tags of ${registry}/${repository} has more than ${limits.listPages} pages`,
      {side: 'source'},
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#hosts[Symbol.asyncDispose]()
  }

  #signalOf({signal}: CallOptions): AbortSignal | undefined {
    return eitherSignal(signal, this.#options.signal)
  }

  #fetchedFrom(reference: Reference): readonly Reference[] {
    const given = this.#options.mirrors?.(reference) ?? []
    return given.length === 0 ? [reference] : given
  }

  async #imageOf(name: Reference, signal: AbortSignal | undefined): Promise<SourceImage> {
    try {
      const from = this.#fetchedFrom(name)
      const known = this.#options.known?.(name)
      const {descriptor, places} =
        known === undefined
          ? await resolveReference(name, {hosts: this.#hosts, from, signal})
          : {descriptor: known, places: from.map(placeOf)}
      this.#places.add(descriptor.digest, places)
      this.#roots.set(descriptor.digest, name)
      return {name, root: {manifest: descriptor}}
    } catch (error) {
      if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
      return {name, root: {error}}
    }
  }

  async #fetchManifest(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<Manifest> {
    const {digest, size} = descriptor
    const where = this.#places.of(digest)
    const root = this.#roots.get(digest)
    const first = await firstPlace(where, (place) =>
      manifestAt(this.#hosts.at(place.registry).client, {place, descriptor, root, signal}),
    )
    if (first === undefined) throw missing(digest)
    const manifest = first.found
    // The length in a HEAD answer may be wrong for a root. The length in a manifest must be right for its children.
    if (manifest.bytes.length !== size && !this.#roots.has(digest)) {
      throw new MirrorError(
        'DIGEST_MISMATCH',
        `the manifest ${digest} has ${manifest.bytes.length} bytes, not the ${size} that its index says`,
        {side: 'source'},
      )
    }
    const below = first.index === 0 ? where : where.slice(first.index)
    for (const child of childrenOf(manifest)) this.#places.add(child.digest, below)
    return manifest
  }
}

interface ManifestAt extends CallOptions {
  readonly place: Place
  readonly descriptor: Descriptor
  /** The name that was just resolved to this digest. */
  readonly root: Reference | undefined
}

/**
 * Reads a manifest by its digest. A registry of several nodes may know a tag before its digest. Then the tag is read,
 * if it still has that digest, and the digest is tried once more.
 */
async function manifestAt(
  client: RegistryClient,
  {place, descriptor, root, signal}: ManifestAt,
): Promise<Manifest | undefined> {
  const {digest, mediaType} = descriptor
  const byDigest = {target: {...place, digest}, mediaType, signal}
  const found = await readManifest(client, byDigest)
  if (found !== undefined || root?.tag === undefined || root.digest !== undefined) return found
  const tagged = await readManifest(client, {target: {...place, tag: root.tag}, mediaType, signal})
  if (tagged?.descriptor.digest === digest) return tagged
  await sleep(Math.min(LAG, client.policy.maxWait), signal, () => `retry ${digest}`)
  return await readManifest(client, byDigest)
}

/** Milliseconds by which the nodes of one registry may lag. */
const LAG = 1000

function placeOf({registry, repository}: Place): Place {
  return {registry, repository}
}

function eitherSignal(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  if (one === undefined || other === undefined || one === other) return one ?? other
  return AbortSignal.any([one, other])
}

function missing(digest: Digest): MirrorError {
  return new MirrorError('BLOB_MISSING', `the source has no ${digest}`, {
    side: 'source',
    advice: {kind: 'complete-at-registry'},
  })
}
