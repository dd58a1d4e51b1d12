import {GrowingLayout} from '@airgap-mirror/bundle/internal'
import {
  formatReference,
  isBlobType,
  limits,
  type CallOptions,
  type Descriptor,
} from '@airgap-mirror/oci-client/model'
import {Refusal, type UploadSession, type WritableRepository} from '../../../server/index.js'
import type {Catalog} from '../content/catalog.js'
import {Places, placesIn} from '../content/places.js'
import {BundleCopies} from './bundle-copies.js'
import type {KeptImages} from './kept-images.js'
import {LayoutRepository} from './layout-repository.js'

/** The repositories of a layout that takes pushes. */
export interface Writable extends AsyncDisposable {
  readonly repositories: readonly LayoutRepository[]
  find(path: string, registry: string | undefined): readonly LayoutRepository[]
  /** @throws {Refusal} NAME_INVALID, TOOMANYREQUESTS */
  open(path: string): WritableRepository
  readonly uploads: Map<string, UploadSession>
}

export interface OpenWritableOptions extends CallOptions {
  readonly path: string
  /** The bundles that are served beside it. */
  readonly catalog: Catalog
  readonly onWarning: (text: string) => void
}

/** Uploads at once; each has a file open. */
const MOST_UPLOADS = 256
/** Milliseconds without a request after which an upload is discarded: a client that resumes comes sooner. */
const IDLE = 3_600_000
/** Milliseconds between looks for such uploads. */
const LOOK_EVERY = 60_000

/**
 * Opens a layout with the images that earlier runs took.
 * @throws {MirrorError} USAGE for a directory with other content, WRITE_FAILED, MANIFEST_INVALID for a damaged layout
 */
export async function openWritable({
  path,
  catalog,
  onWarning,
  signal,
}: OpenWritableOptions): Promise<Writable> {
  const layout = await GrowingLayout.open(path)
  const places = new Places<LayoutRepository>()
  const copies = new BundleCopies(layout, catalog)
  const at = (place: Parameters<typeof places.at>[0]): LayoutRepository =>
    places.at(place, (canonical) => new LayoutRepository(canonical, {layout, copies}))
  for (const image of await layout.images()) {
    const {name} = image
    if (name === undefined) {
      onWarning(`not served: ${image.digest} of ${path}: it has no full name`)
      continue
    }
    const isThere = await recall(image.descriptor, {layout, images: at(name).images, tag: name.tag, signal})
    if (!isThere)
      onWarning(`not served: ${formatReference(name)} of ${path}: its manifest is missing or damaged`)
  }
  const uploads = new Map<string, UploadSession>()
  const timer = setInterval(() => void dropIdle(uploads), LOOK_EVERY).unref()
  return {
    get repositories() {
      return places.all.filter(({images}) => images.manifests.size > 0)
    },
    find: (name, registry) => places.find(name, registry),
    open: (name) => {
      const [place] = placesIn(name)
      if (place === undefined) throw new Refusal(400, 'NAME_INVALID', 'invalid repository name')
      if (uploads.size >= MOST_UPLOADS || places.size >= limits.images) {
        throw new Refusal(429, 'TOOMANYREQUESTS', 'too many uploads or repositories at once')
      }
      return at(place)
    },
    uploads,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      for (const {writer} of uploads.values()) await writer.discard()
    },
  }
}

/**
 * Takes a manifest in with the manifests below it that are there, each read once at any depth.
 * @returns false if it is missing or damaged
 */
async function recall(
  root: Descriptor,
  where: CallOptions & {
    readonly layout: GrowingLayout
    readonly images: KeptImages
    readonly tag: string | undefined
  },
): Promise<boolean> {
  const {layout, images, tag, signal} = where
  const waiting = new Map([[root.digest, root]])
  for (const descriptor of waiting.values()) {
    const isRoot = descriptor === root
    if (images.manifests.has(descriptor.digest) && !(isRoot && tag !== undefined)) continue
    const manifest = await layout.manifest(descriptor, {signal})
    if (manifest === undefined && isRoot) return false
    if (manifest === undefined) continue
    images.put(manifest, isRoot ? tag : undefined)
    if (manifest.kind !== 'index') continue
    for (const child of manifest.children) if (!isBlobType(child.mediaType)) waiting.set(child.digest, child)
  }
  return true
}

/** Discards the uploads that no request has touched for `IDLE` milliseconds. */
async function dropIdle(uploads: Map<string, UploadSession>): Promise<void> {
  for (const session of uploads.values()) {
    if (Date.now() - session.usedAt < IDLE) continue
    uploads.delete(session.id)
    await session.writer.discard()
  }
}
