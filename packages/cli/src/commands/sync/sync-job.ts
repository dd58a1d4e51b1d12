import {shareBlob, type RegistrySource} from '@airgap-mirror/oci-client'
import {formatReference, isMirrorError, MirrorError, type Reference} from '@airgap-mirror/oci-client/model'
import {mapName} from '../../names/naming.js'
import {globMatcher} from '../../names/globs.js'
import type {Stop} from '../../engine/stop.js'
import {tagKey, type SyncTarget} from '../../engine/sync/sync-target.js'
import {sync} from '../../engine/sync/sync.js'
import type {MirrorResult} from '../../engine/tally.js'
import {distinct, imagesIn, immutableIn, wantedBy, type Listing} from '../../job/job-images.js'
import type {JobTarget, WantedImage} from '../../job/job.js'
import type {ReportImage} from '../../report/report.js'
import {defaults} from '../../settings/defaults.js'
import type {SyncJob, SyncSettings} from './sync-settings.js'
import type {Run} from '../../run/run.js'
import type {SyncTargets} from './sync-targets.js'

export interface JobOptions extends Pick<SyncSettings, 'failFast' | 'force' | 'targetFlags'> {
  readonly source: RegistrySource
  readonly targets: SyncTargets
  readonly run: Run
  readonly stop: Stop
}

export interface JobResult extends MirrorResult {
  /** What went wrong besides single images: a repository that could not be listed. */
  readonly troubles: readonly MirrorError[]
  /** The keys of what the job wants. */
  readonly wanted: readonly Wanted[]
}

/** What a job wants in a registry, in one of its names. */
export interface Wanted {
  readonly registry: string
  readonly owner: string
  readonly keys: ReadonlySet<string>
}

/**
 * Brings the targets of one job up to date.
 * @throws {MirrorError} LIST_INVALID where it names no image; NAME_INVALID, NAME_COLLISION
 */
export async function runJob(job: SyncJob, options: JobOptions): Promise<JobResult> {
  const {run, source, targetFlags} = options
  const {images, troubles} = await imagesOf(job, options)
  const targets: SyncTarget[] = []
  for (const target of job.targets) {
    const owner = ownerAt(job, target)
    targets.push({...(await options.targets.targetFor(target, images)), owner})
  }
  const references = [...new Map(images.map(({source: name}) => [formatReference(name), name])).values()]
  const result = await sync({
    ...job,
    ...options,
    source,
    dryRun: run.dryRun,
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

function withListedTargets(
  done: readonly ReportImage[],
  images: readonly WantedImage[],
): readonly ReportImage[] {
  const targets = new Map(
    images.flatMap(({source, target}) => (target === undefined ? [] : [[formatReference(source), target]])),
  )
  const withTarget = (image: ReportImage): ReportImage => {
    const listedTarget = targets.get(image.source)
    return listedTarget === undefined ? image : {...image, listedTarget}
  }
  return targets.size === 0 ? done : done.map(withTarget)
}

function wantedKeys(references: readonly Reference[], targets: readonly SyncTarget[]): readonly Wanted[] {
  const wanted = new Map<string, Wanted & {readonly keys: Set<string>}>()
  for (const {rules, owner} of targets) {
    const {registry} = rules
    // Two targets may differ in nothing but how they name images.
    const one = wanted.get(`${registry} ${owner}`) ?? {registry, owner, keys: new Set()}
    for (const name of references) one.keys.add(tagKey(mapName(nameable(name), rules)))
    wanted.set(`${registry} ${owner}`, one)
  }
  return [...wanted.values()]
}

/** One list may go to several namespaces of a registry, in runs of their own: each removes its own tags alone. */
function ownerAt({owner}: SyncJob, {namespace}: JobTarget): string {
  return `${owner}>${namespace}`
}

/** What the job wants now: by name, and what is in its repositories. */
async function imagesOf(
  job: SyncJob,
  options: JobOptions,
): Promise<{readonly images: readonly WantedImage[]; readonly troubles: readonly MirrorError[]}> {
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
    hint: 'Check that the list is not empty, and that no filter leaves nothing of it.',
  })
}

async function imagesListed(listing: Listing, {source, stop}: JobOptions): Promise<readonly WantedImage[]> {
  const {registry, repository} = listing
  const tags = await source.listTags(registry, repository, {signal: stop.soon})
  if (tags.length > 0) return imagesIn(listing, tags)
  // Rather a registry that has lost its way than somebody who wants nothing: all that is there would be pruned.
  throw new MirrorError('NOT_FOUND', `${registry}/${repository} has no tags`, {
    side: 'source',
    hint: 'Check the spelling of the name, or take a repository that is to be empty out of the job file.',
  })
}

/** Who names neither tag nor digest means `latest`. */
function withTag({source, target}: WantedImage): WantedImage {
  return {
    source: source.tag === undefined && source.digest === undefined ? {...source, tag: 'latest'} : source,
    ...(target === undefined ? {} : {target}),
  }
}

function nameable(name: Reference): Parameters<typeof mapName>[0] {
  return {
    name,
    ...(name.digest === undefined ? {} : {digest: name.digest}),
  }
}
