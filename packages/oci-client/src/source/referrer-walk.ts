import pLimit from 'p-limit'
import {isSamePlace, type ContentPlaces} from './places.js'
import {digestTags, findReferrers, type Referrer} from './referrers.js'
import type {SourceHosts} from './source-hosts.js'
import {
  isIndexType,
  isMirrorError,
  limits,
  type CallOptions,
  type Descriptor,
  type Digest,
  type Manifest,
  type Reference,
  type SourceImage,
  type Place,
} from '../model/index.js'

export interface ReferrerWalkOptions {
  readonly hosts: SourceHosts
  readonly places: ContentPlaces
  readonly manifest: (descriptor: Descriptor, options: CallOptions) => Promise<Manifest>
}

export interface ReferrersOptions extends CallOptions {
  /** Returns the children of the image's own index to look up; absent: all. */
  readonly chosen?: (children: readonly Descriptor[]) => ReadonlySet<Digest>
}

/** Returns the referrers of an image and of the images of an index, and in turn their referrers. */
export type ReferrerWalk = (image: SourceImage, options: ReferrersOptions) => Promise<readonly SourceImage[]>

/** Lookups at once, over all images. Each host has its own bound below. */
const AT_ONCE = 32

/** @param options of one run: a repository's tags are listed once in it */
export function referrerWalk({hosts, places, manifest}: ReferrerWalkOptions): ReferrerWalk {
  const atOnce = pLimit(AT_ONCE)
  const listed = new Map<string, Promise<ReadonlySet<string> | undefined>>()
  const tagsOf = (place: Place, {signal}: CallOptions): Promise<ReadonlySet<string> | undefined> => {
    const key = `${place.registry}/${place.repository}`
    const known = listed.get(key)
    if (known !== undefined) return known
    const tags = digestTags(hosts.at(place.registry), {place, signal})
    listed.set(key, tags)
    tags.catch(() => listed.delete(key))
    return tags
  }

  return async (image, options) => {
    if (!('manifest' in image.root)) return []
    const root = image.root.manifest
    const [place] = places.of(root.digest)
    if (place === undefined) return []
    // A mirror may list only tags that it has fetched so far. Asked for a tag, it fetches it.
    const isMirror = image.name !== undefined && !isSamePlace(place, image.name)
    const tags = isMirror ? undefined : await tagsOf(place, options)
    const found = new Map<string, SourceImage>()
    const asked = new Set<Digest>()
    let level = await subjectsIn(root, {manifest, options})
    for (let depth = 0; depth < limits.referrerDepth && level.length > 0; depth++) {
      for (const subject of level) asked.add(subject)
      const answers = await Promise.all(
        level.map((subject) =>
          atOnce(() => findReferrers({hosts, place, subject, tags, signal: options.signal})),
        ),
      )
      const next = new Set<Digest>()
      for (const referrer of answers.flat()) {
        const {digest} = referrer.descriptor
        places.add(digest, places.of(root.digest))
        found.set(keyOf(referrer), imageOf(referrer, image.name ?? place))
        if (!asked.has(digest)) next.add(digest)
      }
      level = [...next]
    }
    return [...found.values()]
  }
}

function keyOf(referrer: Referrer): string {
  return 'tag' in referrer ? referrer.tag : `${referrer.subject} ${referrer.descriptor.digest}`
}

/** Returns a referrer as an image: it follows its subject, and a cosign tag follows its own name. */
function imageOf(
  referrer: Referrer,
  {registry, repository}: Pick<Reference, 'registry' | 'repository'>,
): SourceImage {
  const root = {manifest: referrer.descriptor}
  return 'tag' in referrer
    ? {name: {registry, repository, tag: referrer.tag}, root}
    : {root, subject: referrer.subject}
}

/** Returns the image itself and everything below an index, because each may be signed separately. */
async function subjectsIn(
  root: Descriptor,
  {manifest, options}: Pick<ReferrerWalkOptions, 'manifest'> & {readonly options: ReferrersOptions},
): Promise<readonly Digest[]> {
  const subjects = new Set<Digest>()
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (subjects.has(descriptor.digest)) return
    subjects.add(descriptor.digest)
    if (!isIndexType(descriptor.mediaType) || depth > limits.indexDepth) return
    const index = await present(manifest(descriptor, options))
    if (index?.kind !== 'index') return
    const chosen = depth === 0 ? options.chosen?.(index.children) : undefined
    for (const child of index.children) if (chosen?.has(child.digest) !== false) await visit(child, depth + 1)
  }
  await visit(root, 0)
  return [...subjects]
}

/** Returns undefined for an absent child: the registry may have only a sparse index. */
async function present(reading: Promise<Manifest>): Promise<Manifest | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isMirrorError(error) && error.code === 'BLOB_MISSING') return undefined
    throw error
  }
}
