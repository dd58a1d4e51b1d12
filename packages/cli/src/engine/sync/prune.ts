import {
  formatReference,
  isMirrorError,
  MirrorError,
  type CallOptions,
  type Digest,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {reportErrorOf} from '../../report/report-error.js'
import type {ReportImage} from '../../report/report.js'
import type {OnEvent} from '../events.js'
import type {KnownTag, KnownTags} from '../known-tags.js'
import {digestsOf, disown, nameIn, NOBODY, unwantedKeys, type Claims} from './prune-claims.js'
import type {SyncRegistry} from './sync-target.js'

export interface PruneOptions extends CallOptions, Claims {
  /** `host[:port]`. */
  readonly registry: string
  /** The namespaces of the job's targets at this registry; '' is the whole registry. */
  readonly namespaces: readonly string[]
  /** The most tags to delete. If more would have to go, none does. */
  readonly max: number
  /** Report the tags that would be deleted, and delete none. */
  readonly dryRun: boolean
  readonly onEvent: OnEvent
}

export interface Pruned {
  readonly images: readonly ReportImage[]
  /** Why nothing was removed. */
  readonly refused?: MirrorError
}

interface Doomed {
  readonly key: string
  readonly tag: KnownTag
  readonly target: Reference & {readonly tag: string}
  /** The digests we put there or were about to put there. The tag is expected to have the first. */
  readonly digests: readonly [Digest, ...Digest[]]
}

/** Deletes the tags that earlier runs of one owner made and that no job wants any more. Touches no other tag. */
export async function prune({tags, removeTag}: SyncRegistry, options: PruneOptions): Promise<Pruned> {
  if (tags === undefined) return {images: []}
  const {registry, max, dryRun, signal} = options
  const doomed = inTurn(
    unwantedKeys(tags, options)
      .filter(placedBy(options))
      .flatMap((key) => doomedAt(key, {tags, registry})),
  )
  // The run that first wanted to delete the others has counted them against the limit.
  const fresh = doomed.filter(({tag}) => !tag.owners.includes(NOBODY))
  if (fresh.length > max) return {images: [], refused: tooMany(fresh, options)}
  if (dryRun) return {images: doomed.map((one) => ({...entryOf(one), status: 'planned', toRemove: true}))}
  disown(tags, options)
  const going = new Map(doomed.map(({key, digests}) => [key, digests]))
  // A manifest may be needed by digest, or as part of an index, without having a tag.
  const byDigest = new Set(
    [...tags.keys(), ...options.wanted].flatMap((key) =>
      key.includes('@') ? [nameIn(key)?.repository] : [],
    ),
  )
  const staying = new Set<string>()
  const images: ReportImage[] = []
  for (const one of doomed) {
    if (signal?.aborted) break
    // A referrer is needed as long as its image stays.
    if (one.tag.with?.some((parent) => staying.has(parent))) continue
    const {repository} = one.target
    const removed = await remove(one, {
      ...options,
      removeTag,
      mayGo: (tag, digest) => going.get(`${repository}:${tag}`)?.includes(digest) === true,
      isUsedByDigest: byDigest.has(repository),
    })
    if (removed.isOver) tags.delete(one.key)
    else staying.add(one.key)
    // Otherwise two owners whose tags share a manifest would each leave it to the other for ever.
    if (removed.isShared === true) tags.set(one.key, {...one.tag, owners: [NOBODY]})
    if (removed.image !== undefined) images.push(removed.image)
  }
  await tags.save()
  return {images}
}

/**
 * Returns a test for keys that the job's own names can lead to: in a namespace of its targets, or in a repository it uses.
 * The saved state may be forged or another job's, so it must not decide deletions elsewhere.
 */
function placedBy({namespaces, own}: PruneOptions): (key: string) => boolean {
  const repositories = new Set([...own].map((key) => nameIn(key)?.repository))
  return (key) => {
    const repository = nameIn(key)?.repository ?? ''
    return (
      repositories.has(repository) ||
      namespaces.some((namespace) => namespace === '' || repository.startsWith(`${namespace}/`))
    )
  }
}

function doomedAt(
  key: string,
  {tags, registry}: {readonly tags: KnownTags; readonly registry: string},
): readonly Doomed[] {
  const tag = tags.get(key)
  const name = nameIn(key)
  if (tag === undefined || name?.tag === undefined) return []
  const [digest, ...others] = digestsOf(tag)
  if (digest === undefined) return []
  const target = {registry, repository: name.repository, tag: name.tag}
  return [{key, tag, target, digests: [digest, ...others]}]
}

/** Images before their referrers. */
function inTurn(doomed: readonly Doomed[]): readonly Doomed[] {
  return [
    ...doomed.filter(({tag}) => tag.with === undefined),
    ...doomed.filter(({tag}) => tag.with !== undefined),
  ]
}

interface Removing extends Pick<PruneOptions, 'onEvent' | 'signal'>, Pick<SyncRegistry, 'removeTag'> {
  readonly mayGo: (tag: string, digest: Digest) => boolean
  readonly isUsedByDigest: boolean
}

interface Removed {
  /** The tag is no longer ours to remove. */
  readonly isOver: boolean
  /** It could go if something else did not need the same manifest. */
  readonly isShared?: boolean
  readonly image?: ReportImage
}

async function remove(one: Doomed, removing: Removing): Promise<Removed> {
  const {tag, target} = one
  const {onEvent, signal} = removing
  const name = formatReference(target)
  const note = (why: string): void => onEvent({type: 'note', text: `${name} stays: ${why}`})
  try {
    const removal = await removeOurs(one, removing)
    if (removal.status === 'shared') {
      note(`this registry deletes only whole manifests, and ${removal.by} still needs this one`)
      return {isOver: false, isShared: true}
    }
    if (removal.status === 'changed') {
      note('somebody else has changed it, so it is no longer ours')
      return {isOver: true}
    }
    onEvent({type: 'image', source: tag.source, target: name, status: 'pruned'})
    return {isOver: true, image: {...entryOf(one), status: 'pruned'}}
  } catch (error) {
    if (!isMirrorError(error)) throw error
    // The user ended the run and knows. Tags deleted before that are reported.
    if (signal?.aborted) return {isOver: false}
    const failure = reportErrorOf(error)
    onEvent({type: 'image', source: tag.source, target: name, status: 'failed', error: failure})
    return {isOver: false, image: {...entryOf(one), status: 'failed', toRemove: true, error: failure}}
  }
}

/** An interrupted run may have put a newer digest there than the saved state has. */
async function removeOurs(
  {target, digests}: Doomed,
  {removeTag, mayGo, isUsedByDigest, signal}: Removing,
): ReturnType<SyncRegistry['removeTag']> {
  const removeAt = (digest: Digest): ReturnType<SyncRegistry['removeTag']> =>
    removeTag(target, {digest, mayGo: (tag) => mayGo(tag, digest), isUsedByDigest, signal})
  const removal = await removeAt(digests[0])
  return removal.status === 'changed' && digests.includes(removal.digest) ? removeAt(removal.digest) : removal
}

function entryOf({tag, target}: Doomed): Omit<ReportImage, 'status'> {
  return {
    source: tag.source,
    target: formatReference(target),
    sourceDigest: tag.sourceDigest,
    digestChanged: false,
    bytesUploaded: 0,
    attempts: 0,
  }
}

function tooMany(doomed: readonly Doomed[], {max}: PruneOptions): MirrorError {
  const names = doomed.slice(0, 3).map(({key}) => key)
  return new MirrorError(
    'PRUNE_REFUSED',
    `${doomed.length} tags are no longer wanted, which is more than ${max}: none was removed (${names.join(', ')}, …)`,
    {
      side: 'target',
      advice: {kind: 'allow-pruning'},
    },
  )
}
