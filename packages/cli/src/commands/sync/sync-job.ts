import {type RegistrySource} from '@airgap-mirror/oci-client'
import {shareBlob} from '@airgap-mirror/oci-client/internal'
import {formatReference, type MirrorError, type Reference} from '@airgap-mirror/oci-client/model'
import {mapName} from '../../names/naming.js'
import type {OnEvent} from '../../engine/events.js'
import type {Stop} from '../../engine/stop.js'
import {tagKey, type SyncTarget} from '../../engine/sync/sync-target.js'
import {sync, type SyncResult} from '../../engine/sync/sync.js'
import {immutableIn} from '../../job/job-images.js'
import type {JobTarget, WantedImage} from '../../job/job.js'
import type {ReportImage} from '../../report/report.js'
import {defaults} from '../../settings/defaults.js'
import type {SyncJob, SyncSettings} from './sync-settings.js'
import {listImages, namedIn} from '../../run/list-images.js'
import type {Run} from '../../run/run.js'
import {refuseSplitNames, type OwnShard} from './sync-shard.js'
import type {SyncTargets} from './sync-targets.js'

export interface JobOptions extends Pick<SyncSettings, 'failFast' | 'force' | 'targetFlags'> {
  readonly source: RegistrySource
  readonly targets: SyncTargets
  readonly run: Run
  readonly stop: Stop
  /** Absent: the run does the whole job. */
  readonly shard: OwnShard | undefined
  readonly onEvent: OnEvent
}

export interface JobResult extends SyncResult {
  /** Failures that belong to no single image, such as a repository that could not be listed. */
  readonly troubles: readonly MirrorError[]
  /** The images of the job, without their referrers. */
  readonly references: readonly Reference[]
  /** The keys that the job wants, by registry and owner. */
  readonly wanted: readonly Wanted[]
}

/** The keys that a job wants in a registry, under one owner. */
export interface Wanted {
  readonly registry: string
  readonly owner: string
  readonly keys: ReadonlySet<string>
}

/**
 * Brings the targets of one job up to date.
 * @throws {MirrorError} LIST_INVALID if it names no image; NAME_INVALID, NAME_COLLISION
 */
export async function runJob(job: SyncJob, options: JobOptions): Promise<JobResult> {
  const {run, source, shard, targetFlags} = options
  const {images, troubles} = await listImages(job, {
    source,
    holds: shard?.holds,
    signal: options.stop.soon,
    warn: run.warn,
  })
  const all = shard === undefined ? images : namedIn(job)
  const targets: SyncTarget[] = []
  for (const target of job.targets) {
    const owner = ownerAt(job, target)
    const own = {...(await options.targets.targetFor(target, [...images, ...all])), owner}
    if (shard !== undefined) refuseSplitNames(all, {...own, ...shard})
    targets.push(own)
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
    onStart: run.onStart,
  })
  return {
    ...result,
    images: withListedTargets(result.images, images),
    troubles,
    references,
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

/** A list may go to several namespaces of a registry in separate runs. Each run prunes only its own tags. */
function ownerAt({owner}: SyncJob, {namespace}: JobTarget): string {
  return `${owner}>${namespace}`
}

function nameable(name: Reference): Parameters<typeof mapName>[0] {
  return {
    name,
    digest: name.digest,
  }
}
