import pLimit from 'p-limit'
import type {RegistryClient} from '../client/client.js'
import {readManifest, resolveManifest} from '../client/read-manifest.js'
import {readTags} from '../client/list-tags.js'
import {
  childrenOf,
  isIndexType,
  limits,
  MirrorError,
  type CallOptions,
  type Descriptor,
  type Digest,
} from '../model/index.js'

/** The digest behind a tag, and the manifests below it. */
interface TagView {
  readonly digest: Digest
  /** The manifests inside an index, and inside the indexes in it. */
  readonly below: ReadonlySet<Digest>
}

interface TagQuestion extends CallOptions {
  readonly repository: string
}

/** Each tag costs a request: a minute or so on a slow network. */
const MOST_TAGS = 10_000
/** Manifests in all indexes of one repository: forty for each tag, while a few are usual. */
const MOST_CHILDREN = 400_000
const AT_ONCE = 32
/** Milliseconds. Many tags of one repository are deleted one after the other, and each listing takes time. */
const FRESH = 30_000
const REPOSITORIES = 4

export interface TagViews {
  /**
   * Returns the views of all tags of a repository, at most half a minute old.
   * @throws {MirrorError} LIMIT_EXCEEDED for more than 10,000 tags, and the errors of the registry
   */
  of(question: TagQuestion): Promise<ReadonlyMap<string, TagView>>
  /** Must be called after a tag was set here, because the remembered views are then stale. */
  forget(repository: string): void
}

export function tagViews(client: RegistryClient): TagViews {
  const seen = new Map<
    string,
    {readonly seenAt: number; readonly views: Promise<ReadonlyMap<string, TagView>>}
  >()
  return {
    of: async (question) => {
      const {repository} = question
      const known = seen.get(repository)
      if (known !== undefined && performance.now() - known.seenAt < FRESH) return await known.views
      seen.delete(repository)
      const [oldest] = seen.keys()
      if (oldest !== undefined && seen.size >= REPOSITORIES) seen.delete(oldest)
      const asked = {seenAt: performance.now(), views: look(client, question)}
      seen.set(repository, asked)
      try {
        return await asked.views
      } catch (error) {
        if (seen.get(repository) === asked) seen.delete(repository)
        throw error
      }
    },
    forget: (repository) => void seen.delete(repository),
  }
}

async function look(
  client: RegistryClient,
  {repository, signal}: TagQuestion,
): Promise<ReadonlyMap<string, TagView>> {
  const place = {registry: client.registry, repository}
  const {tags, complete} = await readTags(client, {place, signal})
  if (!complete || tags.length > MOST_TAGS) {
    throw tooMany(client, {repository, what: `${MOST_TAGS} tags`})
  }
  const below = belowIndexes(client, {repository, signal})
  const views = new Map<string, TagView>()
  const atOnce = pLimit(AT_ONCE)
  const view = async (tag: string): Promise<void> => {
    const descriptor = await resolveManifest(client, {target: {...place, tag}, signal})
    // The tag was deleted after the listing.
    if (descriptor === undefined) return
    views.set(tag, {digest: descriptor.digest, below: await below(descriptor)})
  }
  try {
    await Promise.all(tags.map((tag) => atOnce(() => view(tag))))
    return views
  } finally {
    atOnce.clearQueue()
  }
}

/** Reads each index once for any number of tags. */
function belowIndexes(
  client: RegistryClient,
  {repository, signal}: TagQuestion,
): (descriptor: Descriptor) => Promise<ReadonlySet<Digest>> {
  const known = new Map<Digest, Promise<ReadonlySet<Digest>>>()
  let children = 0
  const read = async ({digest}: Descriptor, depth: number): Promise<ReadonlySet<Digest>> => {
    if (depth > limits.indexDepth) {
      throw tooMany(client, {repository, what: `${limits.indexDepth} indexes inside each other`})
    }
    const target = {registry: client.registry, repository, digest}
    const manifest = await readManifest(client, {target, signal})
    const below = new Set<Digest>()
    for (const child of manifest === undefined ? [] : childrenOf(manifest)) {
      below.add(child.digest)
      for (const deeper of await find(child, depth + 1)) below.add(deeper)
      // Includes deeper levels, because each set is kept in memory.
      if (children + below.size > MOST_CHILDREN) {
        throw tooMany(client, {repository, what: `${MOST_CHILDREN} manifests in indexes`})
      }
    }
    children += below.size
    return below
  }
  const find = (descriptor: Descriptor, depth: number): Promise<ReadonlySet<Digest>> => {
    if (!isIndexType(descriptor.mediaType)) return NOTHING
    const reading = known.get(descriptor.digest) ?? read(descriptor, depth)
    known.set(descriptor.digest, reading)
    return reading
  }
  return (descriptor) => find(descriptor, 1)
}

const NOTHING: Promise<ReadonlySet<Digest>> = Promise.resolve(new Set())

function tooMany(
  client: RegistryClient,
  {repository, what}: {readonly repository: string; readonly what: string},
): MirrorError {
  return new MirrorError(
    'LIMIT_EXCEEDED',
    `${client.registry}/${repository} has more than ${what}: no tag of it can be deleted`,
    {
      side: client.side,
      advice: {kind: 'delete-by-registry'},
    },
  )
}
