import pLimit from 'p-limit'
import {downloadBlob} from './download-blob.js'
import type {RegistryClient} from '../client/client.js'
import {readManifest} from '../client/read-manifest.js'
import {sleep} from '../http/sleep.js'
import {readTags} from '../client/list-tags.js'
import {ContentPlaces, firstPlace} from './places.js'
import {referrerWalk, type ReferrersOptions} from './referrer-walk.js'
import {resolveReference} from './resolve-reference.js'
import {SourceHosts} from './source-hosts.js'
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
  type ImageSource,
  type Manifest,
  type Reference,
  type RequestUsage,
  type SourceImage,
  type Place,
} from '../model/index.js'
import type {RegistryOptions} from '../client/options.js'

/** Options of a source: the images, and how each of their registries is reached. */
export interface RegistrySourceOptions {
  readonly references: readonly Reference[]
  /** Returns the options of a registry, by the host in image names (`docker.io`). Called once, when first needed. */
  readonly registryFor: (host: string) => RegistryOptions
  /** False: `referrersOf` finds nothing and sends no request. */
  readonly referrers: boolean
  /**
   * The places to fetch a reference from, in this order; the reference itself only if listed. Absent or empty: the
   * reference itself.
   */
  readonly mirrors?: (reference: Reference) => readonly Reference[]
  /**
   * An earlier run's descriptor of a reference that cannot change: a digest, an immutable tag. It saves the request.
   */
  readonly known?: (reference: Reference) => Descriptor | undefined
  /** Ends everything. */
  readonly signal?: AbortSignal
}

/** Images of registries, as a source. Dispose of it to close its connections. */
export interface RegistrySource extends ImageSource {
  readonly access: 'random'
  /** Requests are those on the wire, tokens and redirects included; downloaded: bytes of blobs. */
  readonly usage: RequestUsage & {readonly downloaded: number}
  /**
   * Returns the images under these names, in their order, as `images` does for the names in the options. Each distinct
   * reference costs one HEAD.
   */
  imagesAt(references: readonly Reference[], options?: CallOptions): Promise<readonly SourceImage[]>
  /**
   * Returns the referrers of an image, of the children of an index, and in turn their referrers: signatures,
   * attestations, SBOMs. They are found by the referrers API, its tag schema and cosign's tags.
   * Costs at least one request for each repository and digest, so `images` does not include them. Cosign's have their
   * tag as name, the others have `subject`.
   */
  referrersOf(image: SourceImage, options?: ReferrersOptions): Promise<readonly SourceImage[]>
  /** A blob of one repository, whether or not a manifest that names it was read. */
  blobIn(place: Place, content: Descriptor): BlobSource
  /** @throws {MirrorError} NOT_FOUND, LIMIT_EXCEEDED, PROTOCOL, and the errors of the registry */
  listTags(registry: string, repository: string, options?: CallOptions): Promise<readonly string[]>
}

/** References resolved at once. Each host has its own, smaller bound. */
const RESOLVED_AT_ONCE = 64

/**
 * Opens images of one or many registries. Each host is connected to once, when first needed.
 * `images` sends one HEAD for a reference, and never fails for a single reference: its root is then an error.
 */
export function openRegistrySource(options: RegistrySourceOptions): RegistrySource {
  const hosts = new SourceHosts(options.registryFor)
  const places = new ContentPlaces()
  /** The names of the images found so far, by their digest. */
  const roots = new Map<Digest, Reference>()
  const manifests = new Map<Digest, Promise<Manifest>>()
  const signalOf = ({signal}: CallOptions): AbortSignal | undefined => eitherSignal(signal, options.signal)
  const fetchedFrom = fetchPlaces(options)
  let listing: Promise<readonly SourceImage[]> | undefined
  let downloaded = 0

  const listImages = (
    references: readonly Reference[],
    signal: AbortSignal | undefined,
  ): Promise<readonly SourceImage[]> => {
    const atOnce = pLimit(RESOLVED_AT_ONCE)
    const distinct = new Map(references.map((name) => [formatReference(name), name]))
    // The first image of a registry goes ahead: only it is refused for lack of a login, which the others then use.
    const ahead = new Map<string, Promise<SourceImage>>()
    return Promise.all(
      [...distinct.values()].map((name) => {
        const first = ahead.get(name.registry)
        if (first !== undefined) return first.then(() => atOnce(() => imageOf(name, signal)))
        const image = atOnce(() => imageOf(name, signal))
        ahead.set(name.registry, image)
        return image
      }),
    )
  }

  const imageOf = async (name: Reference, signal: AbortSignal | undefined): Promise<SourceImage> => {
    try {
      const from = fetchedFrom(name)
      const known = options.known?.(name)
      const {descriptor, places: found} =
        known === undefined
          ? await resolveReference(name, {hosts, from, signal})
          : {descriptor: known, places: from.map(placeOf)}
      places.add(descriptor.digest, found)
      roots.set(descriptor.digest, name)
      return {name, root: {manifest: descriptor}}
    } catch (error) {
      if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
      return {name, root: {error}}
    }
  }

  const fetchManifest = async (
    descriptor: Descriptor,
    signal: AbortSignal | undefined,
  ): Promise<Manifest> => {
    const {digest, size} = descriptor
    const where = places.of(digest)
    const root = roots.get(digest)
    const first = await firstPlace(where, (place) =>
      manifestAt(hosts.at(place.registry).client, {place, descriptor, root, signal}),
    )
    if (first === undefined) throw missing(digest)
    const manifest = first.found
    // The length in a HEAD answer may be wrong for a root. The length in a manifest must be right for its children.
    if (manifest.bytes.length !== size && !roots.has(digest)) {
      throw new MirrorError(
        'DIGEST_MISMATCH',
        `the manifest ${digest} has ${manifest.bytes.length} bytes, not the ${size} that its index says`,
        {side: 'source'},
      )
    }
    const below = first.index === 0 ? where : where.slice(first.index)
    for (const child of childrenOf(manifest)) places.add(child.digest, below)
    return manifest
  }

  const manifestOf = (descriptor: Descriptor, call: CallOptions): Promise<Manifest> => {
    const known = manifests.get(descriptor.digest)
    if (known !== undefined) return known
    const reading = fetchManifest(descriptor, signalOf(call))
    manifests.set(descriptor.digest, reading)
    // A failed read may be repeated.
    reading.catch(() => manifests.delete(descriptor.digest))
    return reading
  }

  const blobOf = (content: Content): BlobSource => {
    if (isPending(content) || !isHeld(content))
      throw missing(isPending(content) ? content.diffId : content.digest)
    return {
      content,
      open: ({offset = 0, signal} = {}) =>
        downloadBlob({
          hosts,
          places: places.of(content.digest),
          content,
          offset,
          signal: signalOf({signal}),
          onBytes: (count) => (downloaded += count),
        }),
    }
  }

  const walk = referrerWalk({hosts, places, manifest: manifestOf})
  return {
    access: 'random',
    usage: {
      get requests() {
        return hosts.usage.requests
      },
      get retries() {
        return hosts.usage.retries
      },
      get downloaded() {
        return downloaded
      },
    },
    images: (call = {}) => {
      if (listing === undefined) {
        listing = listImages(options.references, signalOf(call))
        listing.catch(() => (listing = undefined))
      }
      return listing
    },
    imagesAt: (references, call = {}) => listImages(references, signalOf(call)),
    manifest: (descriptor, call = {}) => manifestOf(descriptor, call),
    has: isHeld,
    blob: blobOf,
    blobIn: (place, content) => {
      places.add(content.digest, [placeOf(place)])
      return blobOf(content)
    },
    referrersOf: async (image, call = {}) =>
      options.referrers ? walk(image, {...call, signal: signalOf(call)}) : [],
    listTags: (registry, repository, call = {}) =>
      listTags(
        {registry, repository},
        {hosts, from: fetchedFrom({registry, repository}), signal: signalOf(call)},
      ),
    [Symbol.asyncDispose]: () => hosts[Symbol.asyncDispose](),
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

/** Returns false for foreign layers, which are at their URLs. The registry is not asked for them. */
function isHeld(content: Content): boolean {
  return !isPending(content) && !isForeignLayerType(content.mediaType)
}

function fetchPlaces({mirrors}: RegistrySourceOptions) {
  return (reference: Reference): readonly Reference[] => {
    const given = mirrors?.(reference) ?? []
    return given.length === 0 ? [reference] : given
  }
}

function placeOf({registry, repository}: Place): Place {
  return {registry, repository}
}

async function listTags(
  {registry, repository}: Place,
  {hosts, from, signal}: CallOptions & {readonly hosts: SourceHosts; readonly from: readonly Place[]},
): Promise<readonly string[]> {
  const first = await firstPlace(from, (place) =>
    readTags(hosts.at(place.registry).client, {place: placeOf(place), signal}),
  )
  if (first?.found.complete === true) return first.found.tags
  throw new MirrorError(
    'LIMIT_EXCEEDED',
    `the list of tags of ${registry}/${repository} has more than ${limits.listPages} pages`,
    {side: 'source'},
  )
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
