import {
  cancelled,
  formatReference,
  isMirrorError,
  MirrorError,
  type Platform,
  type Reference,
} from '@airgap-mirror/oci-client/model'
import {addingPlans} from '../../engine/adding-plans.js'
import {prune} from '../../engine/sync/prune.js'
import type {SyncResult} from '../../engine/sync/sync.js'
import type {MirrorResult} from '../../engine/tally.js'
import {isFailed, type ReportImage} from '../../report/report.js'
import type {SyncJob} from './sync-settings.js'
import {runJob, type JobOptions, type JobResult} from './sync-job.js'

export interface JobsOptions extends Omit<JobOptions, 'onEvent'> {
  readonly jobs: readonly SyncJob[]
  /** False if the only job stands for lists. */
  readonly isJobFile: boolean
  /** Resolves to true if this run still holds the registry's lock. */
  readonly isHeld: (registry: string) => Promise<boolean>
}

export interface JobsResult extends MirrorResult {
  /** Failures that belong to no single image. */
  readonly troubles: readonly MirrorError[]
  /** The images of all jobs, without their referrers. */
  readonly references: readonly Reference[]
  /** The platforms that the jobs took of a reference; empty: all. */
  readonly platformsOf: (reference: string) => readonly Platform[]
  /** Bytes of an image, if a job has read it. */
  readonly bytesOf: SyncResult['bytesOf']
}

interface Done {
  readonly job: SyncJob
  readonly result: JobResult
}

/**
 * Runs one job after the other; a failing job does not stop the others. Afterwards prunes the tags that no job wants any
 * more.
 * @throws {MirrorError} the error of the only job, or the first error if no job could be done
 */
export async function runJobs(options: JobsOptions): Promise<JobsResult> {
  const {jobs, failFast, isJobFile} = options
  const {soon} = options.stop
  const done: Done[] = []
  const troubles: MirrorError[] = []
  const plans = addingPlans(options.run.renderer.onEvent)
  for (const job of jobs) {
    if (soon.aborted) break
    try {
      const result = await runJob(job, {...options, onEvent: plans.onEvent})
      plans.next()
      done.push({job, result})
      troubles.push(...result.troubles)
      if (failFast && (result.troubles.length > 0 || result.images.some(isFailed))) break
    } catch (error) {
      if (!isMirrorError(error)) throw error
      troubles.push(inJob(error, {job, jobs}))
      if (failFast) break
    }
  }
  const [first] = troubles
  if (done.length === 0 && first !== undefined) throw first
  const isAll = done.length === jobs.length
  const pruned = isAll && troubles.length === 0 ? await pruneAll(done, options) : undefined
  // Reported first because it decides the exit code. After losing a lock we no longer know what another run does.
  const isCut = soon.aborted && (!isAll || jobs.some((job) => job.prune) || isLockLost(soon))
  if (isCut) troubles.unshift(cancelled(soon))
  const results: readonly MirrorResult[] = done.map(({result}) => result)
  return {
    images: [
      ...done.flatMap(({job, result}) => (isJobFile ? ofJob(job, result.images) : result.images)),
      ...(pruned?.images ?? []),
    ],
    blobs: summed(results.map(({blobs}) => blobs)),
    bytes: summed(results.map(({bytes}) => bytes)),
    troubles: [...troubles, ...(pruned?.refusals ?? [])],
    references: done.flatMap(({result}) => result.references),
    platformsOf: platformsTaken(done),
    bytesOf: (name) => done.map(({result}) => result.bytesOf(name)).find((bytes) => bytes !== undefined),
  }
}

function platformsTaken(done: readonly Done[]): JobsResult['platformsOf'] {
  const taken = new Map<string, readonly Platform[]>()
  for (const {job, result} of done) {
    for (const reference of result.references) {
      const name = formatReference(reference)
      const others = taken.get(name)
      const isAll = job.platforms.length === 0 || others?.length === 0
      taken.set(name, isAll ? [] : [...(others ?? []), ...job.platforms])
    }
  }
  return (name) => taken.get(name) ?? []
}

/** Prunes after all jobs, so that a tag that has moved from one job to another stays. */
async function pruneAll(
  done: readonly Done[],
  options: JobsOptions,
): Promise<{readonly images: readonly ReportImage[]; readonly refusals: readonly MirrorError[]}> {
  const {run, targets, stop, isHeld} = options
  const {soon} = stop
  const images: ReportImage[] = []
  const refusals: MirrorError[] = []
  for (const {job, result} of done) {
    if (!job.prune || soon.aborted) continue
    const failed = result.images.filter(({status}) => status === 'failed').length
    if (failed > 0) {
      // The replacement of an unwanted tag may have failed. A drifted image does not count: its tag is there.
      run.note(`not pruning the job ${JSON.stringify(job.name)}, because ${failed} of its images failed`)
      continue
    }
    for (const {registry, owner, keys: own} of result.wanted) {
      const known = targets.registries.get(registry)
      if (known === undefined || soon.aborted) continue
      if (!(await isHeld(registry))) {
        run.warn(`not pruning ${registry}: could not confirm that this run still holds the lock`)
        continue
      }
      const pruned = await prune(known, {
        registry,
        owner,
        own,
        namespaces: job.targets
          .filter((target) => target.registry === registry)
          .map(({namespace}) => namespace),
        wanted: everythingWanted(registry, done),
        max: job.pruneMax,
        dryRun: run.dryRun,
        onEvent: run.renderer.onEvent,
        signal: soon,
      })
      images.push(...(options.isJobFile ? ofJob(job, pruned.images) : pruned.images))
      if (pruned.refused !== undefined) refusals.push(pruned.refused)
    }
  }
  return {images, refusals}
}

function ofJob({name}: SyncJob, images: readonly ReportImage[]): readonly ReportImage[] {
  return images.map((image) => ({...image, job: name}))
}

function everythingWanted(registry: string, done: readonly Done[]): ReadonlySet<string> {
  const all = new Set<string>()
  for (const {result} of done)
    for (const wanted of result.wanted)
      if (wanted.registry === registry) for (const key of wanted.keys) all.add(key)
  return all
}

function isLockLost({reason}: AbortSignal): boolean {
  return isMirrorError(reason) && reason.code === 'STATE_LOCKED'
}

/** Says which of several jobs it was. */
function inJob(
  error: MirrorError,
  {job, jobs}: {readonly job: SyncJob; readonly jobs: readonly SyncJob[]},
): MirrorError {
  return jobs.length === 1
    ? error
    : new MirrorError(error.code, `the job ${JSON.stringify(job.name)}: ${error.message}`, {
        side: error.side,
        advice: error.advice,
        hint: error.hint,
        cause: error.cause,
      })
}

function summed<Figures extends object>(all: readonly Figures[]): Figures {
  const sums: Record<string, number> = {}
  for (const figures of all)
    for (const [name, figure] of Object.entries(figures) as [string, number][])
      sums[name] = (sums[name] ?? 0) + figure
  return sums as Figures
}
