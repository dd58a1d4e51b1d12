import {shareBlob, type RegistrySource} from '@airgap-mirror/oci-client'
import {formatReference, isMirrorError, MirrorError, type Reference} from '@airgap-mirror/oci-client/model'
import {mapName} from '../engine/naming.js'
import {globMatcher} from '../engine/select.js'
import {tagKey, type SyncTarget} from '../engine/sync/sync-target.js'
import {sync} from '../engine/sync/sync.js'
import type {PushResult} from '../engine/tally.js'
import {distinct, imagesIn, immutableIn, wantedBy, type Listing} from '../job/job-images.js'
import type {WantedImage} from '../job/job.js'
import type {ReportImage} from '../report/report.js'
import {defaults} from '../settings/defaults.js'
import type {SyncJob, SyncSettings} from '../settings/sync-settings.js'
import type {Run} from './run-command.js'
import type {SyncTargets} from './sync-targets.js'

export interface JobOptions extends Pick<SyncSettings, 'failFast' | 'dryRun' | 'force' | 'targetFlags'> {
  readonly source: RegistrySource
  readonly targets: SyncTargets
  readonly run: Run
  readonly signal: AbortSignal
  readonly drain: AbortSignal
}

export interface JobResult extends PushResult {
  /** What went wrong besides single images: a repository that could not be listed. */
  readonly troubles: readonly MirrorError[]
  /** The keys of what the job wants, by registry. */
  readonly wanted: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * Brings the targets of one job up to date.
 * @throws {MirrorError} LIST_INVALID where it names no image; NAME_INVALID, NAME_COLLISION
 */
export const runJob = async (job: SyncJob, options: JobOptions): Promise<JobResult> => {
  const {run, source, targetFlags} = options
  const {images, troubles} = await imagesOf(job, options)
  const targets: SyncTarget[] = []
  for (const target of job.targets) targets.push(await options.targets.targetFor(target, images))
  const references = [...new Map(images.map(({source: name}) => [formatReference(name), name])).values()]
  const result = await sync({
    ...job,
    ...options,
    source,
    references,
    targets,
    isImmutable: immutableIn(job),
    concurrency: targetFlags.concurrency ?? defaults.concurrency,
    share: shareBlob,
    onEvent: run.renderer.onEvent,
    onStart: run.onStart,
  })
  return {
    ...result,
    images: withListedTargets(result.images, images),
    troubles,
    wanted: wantedKeys(references, targets),
  }
}

const withListedTargets = (
  done: readonly ReportImage[],
  images: readonly WantedImage[],
): readonly ReportImage[] => {
  const targets = new Map(
    images.flatMap(({source, target}) => (target === undefined ? [] : [[formatReference(source), target]])),
  )
  const withTarget = (image: ReportImage): ReportImage => {
    const listedTarget = targets.get(image.source)
    return listedTarget === undefined ? image : {...image, listedTarget}
  }
  return targets.size === 0 ? done : done.map(withTarget)
}

const wantedKeys = (
  references: readonly Reference[],
  targets: readonly SyncTarget[],
): ReadonlyMap<string, ReadonlySet<string>> => {
  const wanted = new Map<string, Set<string>>()
  for (const {rules} of targets) {
    const keys = wanted.get(rules.registry) ?? new Set()
    for (const name of references) keys.add(tagKey(mapName(nameable(name), rules)))
    wanted.set(rules.registry, keys)
  }
  return wanted
}

/** What the job wants now: by name, and what is in its repositories. */
const imagesOf = async (
  job: SyncJob,
  options: JobOptions,
): Promise<{readonly images: readonly WantedImage[]; readonly troubles: readonly MirrorError[]}> => {
  const {images, listings} = wantedBy(job, job.listed)
  const troubles: MirrorError[] = []
  const found = await Promise.all(
    listings.map(async (listing) => {
      try {
        return await imagesListed(listing, options)
      } catch (error) {
        if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
        troubles.push(error)
        return []
      }
    }),
  )
  const isWanted = globMatcher(job)
  const wanted = distinct([...images, ...found.flat()].map(withTag)).filter((image) =>
    isWanted(formatReference(image.source)),
  )
  if (wanted.length > 0 || troubles.length > 0) return {images: wanted, troubles}
  throw new MirrorError('LIST_INVALID', `the job ${JSON.stringify(job.name)} names no image`, {
    side: 'source',
    hint: 'Is the list empty, or does a filter leave nothing of it?',
  })
}

const imagesListed = async (
  listing: Listing,
  {source, drain}: JobOptions,
): Promise<readonly WantedImage[]> => {
  const {registry, repository} = listing
  const tags = await source.listTags(registry, repository, {signal: drain})
  if (tags.length > 0) return imagesIn(listing, tags)
  // Rather a registry that has lost its way than somebody who wants nothing: all that is there would be pruned.
  throw new MirrorError('NOT_FOUND', `${registry}/${repository} has no tags`, {
    side: 'source',
    hint: 'Is the name spelt right? A repository that is to be empty can be taken out of the job file.',
  })
}

/** Who names neither tag nor digest means `latest`. */
const withTag = ({source, target}: WantedImage): WantedImage => ({
  source: source.tag === undefined && source.digest === undefined ? {...source, tag: 'latest'} : source,
  ...(target === undefined ? {} : {target}),
})

const nameable = (name: Reference): Parameters<typeof mapName>[0] => ({
  name,
  ...(name.digest === undefined ? {} : {digest: name.digest}),
})
