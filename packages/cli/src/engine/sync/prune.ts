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
import type {KnownTag} from '../known-tags.js'
import {disown, nameIn, unwantedKeys, type Claims} from './prune-claims.js'
import type {SyncRegistry} from './sync-target.js'

export interface PruneOptions extends CallOptions, Claims {
  /** `host[:port]`. */
  readonly registry: string
  /** Where more would have to go, nothing does. */
  readonly max: number
  /** Say what would go, and remove nothing. */
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
  readonly digest: Digest
}

/** Removes the tags that earlier runs of one owner made and that nobody wants any more; of anything else it knows nothing. */
export const prune = async ({tags, removeTag}: SyncRegistry, options: PruneOptions): Promise<Pruned> => {
  if (tags === undefined) return {images: []}
  const {registry, max, dryRun, signal} = options
  const doomed = unwantedKeys(tags, options).flatMap((key): readonly Doomed[] => {
    const tag = tags.get(key)
    const name = nameIn(key)
    if (tag?.digest === undefined || name?.tag === undefined) return []
    return [{key, tag, target: {registry, repository: name.repository, tag: name.tag}, digest: tag.digest}]
  })
  if (doomed.length > max) return {images: [], refused: tooMany(doomed, options)}
  if (dryRun) return {images: doomed.map((one) => ({...entryOf(one), status: 'planned', toRemove: true}))}
  disown(tags, options)
  const going = new Set(doomed.map(({key}) => key))
  const byDigest = new Set(tags.keys().flatMap((key) => (key.includes('@') ? [nameIn(key)?.repository] : [])))
  const images: ReportImage[] = []
  for (const one of doomed) {
    if (signal?.aborted) break
    const {repository} = one.target
    const image = await remove(one, {
      ...options,
      removeTag,
      mayGo: (tag) => going.has(`${repository}:${tag}`),
      // What is wanted by its digest, or stands in an index that is, no tag tells of.
      isUsedByDigest: byDigest.has(repository),
      forget: () => tags.delete(one.key),
    })
    if (image !== undefined) images.push(image)
  }
  await tags.save()
  return {images}
}

interface Removing extends Pick<PruneOptions, 'onEvent' | 'signal'>, Pick<SyncRegistry, 'removeTag'> {
  readonly mayGo: (tag: string) => boolean
  readonly isUsedByDigest: boolean
  readonly forget: () => void
}

const remove = async (one: Doomed, removing: Removing): Promise<ReportImage | undefined> => {
  const {digest, tag} = one
  const {onEvent, forget} = removing
  const name = formatReference(one.target)
  const stays = (why: string): undefined =>
    onEvent({type: 'note', text: `${name} stays: ${why}`}) as undefined
  try {
    const removal = await removing.removeTag(one.target, {...removing, digest})
    if (removal.status === 'shared')
      return stays(`this registry removes whole manifests alone, and ${removal.by} still needs it`)
    forget()
    if (removal.status === 'changed') return stays('somebody else has changed it, so it is no longer ours')
    onEvent({type: 'image', source: tag.source, target: name, status: 'pruned'})
    return {...entryOf(one), status: 'pruned'}
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    const failure = reportErrorOf(error)
    onEvent({type: 'image', source: tag.source, target: name, status: 'failed', error: failure})
    return {...entryOf(one), status: 'failed', toRemove: true, error: failure}
  }
}

const entryOf = ({tag, target}: Doomed): Omit<ReportImage, 'status'> => ({
  source: tag.source,
  target: formatReference(target),
  sourceDigest: tag.sourceDigest,
  digestChanged: false,
  bytesUploaded: 0,
  attempts: 0,
})

const tooMany = (doomed: readonly Doomed[], {max}: PruneOptions): MirrorError => {
  const names = doomed.slice(0, 3).map(({key}) => key)
  return new MirrorError(
    'PRUNE_REFUSED',
    `${doomed.length} tags are no longer wanted, which is more than ${max}: none was removed (${names.join(', ')}, …)`,
    {
      side: 'target',
      hint: 'Is the list complete? If they are to go, allow it with --prune-max; --dry-run shows them.',
    },
  )
}
