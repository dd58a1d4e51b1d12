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
import type {SyncTarget} from './sync-target.js'

export interface PruneOptions extends CallOptions {
  /** The keys of what is wanted at the target. */
  readonly wanted: ReadonlySet<string>
  /** Whose tags are looked at: those that nobody else wants go. */
  readonly owner: string
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

/** Removes the tags that earlier runs of the same owner made and that are no longer wanted; of anything else it knows nothing. */
export const prune = async (target: SyncTarget, options: PruneOptions): Promise<Pruned> => {
  const {tags} = target
  if (tags === undefined) return {images: []}
  const doomed = doomedAt(target, options)
  if (doomed.length > options.max) return {images: [], refused: tooMany(doomed, options)}
  if (options.dryRun)
    return {
      images: doomed.map((one) => ({
        ...entryOf(one),
        status: 'planned',
        toRemove: true,
      })),
    }
  disown(target, options)
  const going = new Set(doomed.map(({key}) => key))
  const images: ReportImage[] = []
  for (const one of doomed) {
    if (options.signal?.aborted) break
    const image = await remove(one, {target, going, options})
    if (image !== undefined) images.push(image)
  }
  await tags.save()
  return {images}
}

/** What nobody wants any more, signatures with their images. */
const doomedAt = ({tags, rules}: SyncTarget, options: PruneOptions): readonly Doomed[] =>
  (tags?.keys() ?? []).flatMap((key) => {
    const tag = tags?.get(key)
    const name = tagOf(key)
    if (tag?.digest === undefined || name === undefined || !isUnwanted(key, tag, options)) return []
    if (tag.owners.some((owner) => owner !== options.owner)) return []
    return [{key, tag, target: {registry: rules.registry, ...name}, digest: tag.digest}]
  })

const isUnwanted = (key: string, tag: KnownTag, {wanted, owner}: PruneOptions): boolean =>
  tag.owners.includes(owner) && !wanted.has(key) && !(tag.with !== undefined && wanted.has(tag.with))

/** What others want stays theirs; what was put by digest has no name that could be taken away. */
const disown = ({tags}: SyncTarget, options: PruneOptions): void => {
  for (const key of tags?.keys() ?? []) {
    const tag = tags?.get(key)
    if (tag === undefined || !isUnwanted(key, tag, options)) continue
    const owners = tag.owners.filter((owner) => owner !== options.owner)
    if (owners.length > 0) tags?.set(key, {...tag, owners})
    else if (tag.digest === undefined || tagOf(key) === undefined) tags?.delete(key)
  }
}

const remove = async (
  one: Doomed,
  {
    target,
    going,
    options,
  }: {readonly target: SyncTarget; readonly going: ReadonlySet<string>; readonly options: PruneOptions},
): Promise<ReportImage | undefined> => {
  const {key, digest} = one
  const {onEvent, signal} = options
  const name = formatReference(one.target)
  try {
    const removal = await target.removeTag(one.target, {
      digest,
      mayGo: (tag) => going.has(`${one.target.repository}:${tag}`),
      isUsedByDigest: options.wanted.has(`${one.target.repository}@${digest}`),
      signal,
    })
    if (removal.status === 'shared') {
      const text = `${name} stays: this registry removes whole manifests alone, and ${removal.by} still needs it`
      onEvent({type: 'note', text})
      return undefined
    }
    target.tags?.delete(key)
    if (removal.status === 'changed') {
      onEvent({type: 'note', text: `${name} stays: somebody else has changed it, so it is no longer ours`})
      return undefined
    }
    const image: ReportImage = {...entryOf(one), status: 'pruned'}
    onEvent({type: 'image', source: image.source, target: name, status: 'pruned'})
    return image
  } catch (error) {
    if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
    const failure = reportErrorOf(error)
    onEvent({type: 'image', source: one.tag.source, target: name, status: 'failed', error: failure})
    return {...entryOf(one), status: 'failed', error: failure}
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

const tagOf = (key: string): {readonly repository: string; readonly tag: string} | undefined => {
  const colon = key.lastIndexOf(':')
  if (key.includes('@') || colon <= key.lastIndexOf('/')) return undefined
  return {repository: key.slice(0, colon), tag: key.slice(colon + 1)}
}

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
