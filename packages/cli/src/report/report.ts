import type {Advice, Digest, Side} from '@airgap-mirror/oci-client/model'
import {VERSION} from '../text/version.js'

/**
 * The result for one image. `planned`: a dry run, it would be pushed. `skipped`: not tried, because another image failed
 * first. `drifted`: the tag does not point at what we put there. `pruned`: the tag was deleted at the target.
 * `verified`: proved to be there, whole. `differs`: proved not to be.
 */
export type ImageStatus =
  | 'pushed'
  | 'present'
  | 'failed'
  | 'skipped'
  | 'cancelled'
  | 'planned'
  | 'drifted'
  | 'pruned'
  | 'verified'
  | 'differs'

export type Outcome = 'ok' | 'partial' | 'failed' | 'cancelled' | 'planned'

export interface ReportError {
  /** A code of MirrorError, or `BUG`. */
  readonly code: string
  /** The side it happened on; absent if it was neither. */
  readonly side?: Side
  readonly message: string
  /** The remedy before it is worded as the hint; in no report that is written. */
  readonly advice?: Advice
  readonly hint?: string
}

/** An image of `mirror.report/v1`. Sizes in bytes. */
export interface ReportImage {
  readonly source: string
  readonly target: string
  readonly status: ImageStatus
  /** The target in the second column of the list, as it is written there. */
  readonly listedTarget?: string
  /** Absent if the bundle no longer knows it. */
  readonly sourceDigest?: Digest
  /** Absent if nothing is at the target, or if the digest is not known yet. */
  readonly targetDigest?: Digest
  readonly digestChanged: boolean
  /** Why the digest changed. */
  readonly reason?: string
  readonly bytesUploaded: number
  /** A dry run's figure: the most bytes that would be sent. Content that images share counts once, at the first of them. */
  readonly bytesToSend?: number
  /** True if the tag is no longer wanted: a dry run would prune it, and a failed image could not be pruned. */
  readonly toRemove?: boolean
  readonly attempts: number
  /**
   * Milliseconds from the first of its transfers to its end, with the wait for content that it shares. Absent if nothing
   * had to be transferred for it.
   */
  readonly durationMs?: number
  /** The name of its job; absent without a job file. */
  readonly job?: string
  /** Its referrers; absent if they were not asked for or the source cannot say. */
  readonly referrers?: number
  readonly error?: ReportError
}

interface ReportTotals {
  readonly images: number
  readonly succeeded: number
  readonly failed: number
  readonly blobs: {readonly uploaded: number; readonly mounted: number; readonly present: number}
  readonly bytes: {
    readonly uploaded: number
    readonly present: number
    readonly mounted: number
    /** Bytes that came out of a bundle's decompressor. */
    readonly decoded: number
    /** The most that was on scratch disk at once. */
    readonly scratchPeak: number
    /** A dry run's figure: the most bytes that would be sent. */
    readonly toSend?: number
    /** Bytes of blobs, if the source is a registry. */
    readonly downloaded?: number
  }
  readonly requests: number
  readonly retries: number
}

/** The report of a run, as `--json` and `--report` print it. Fields are only ever added. Times in ISO 8601, UTC. */
export interface Report {
  /** The `$id` of `docs/report.schema.json`. */
  readonly $schema: 'urn:mirror:report:v1'
  readonly schema: 'mirror.report/v1'
  /** The version of the program. */
  readonly version: string
  readonly command: string
  readonly source: string
  readonly target: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly outcome: Outcome
  /** The exit code of the run, once that is known. */
  readonly exitCode?: number
  readonly totals: ReportTotals
  /** Absent if the run did the whole job. */
  readonly shard?: ReportShard
  /** The error that kept the whole run from starting or going on, or the first one that belongs to no single image. */
  readonly error?: ReportError
  /** All errors of that kind, `error` first; absent if there are not several. */
  readonly errors?: readonly ReportError[]
  /** The first 1,000 warnings; absent if there are none. */
  readonly warnings?: readonly string[]
  /** Everything in a file or a directory that was not used; absent if there is nothing. */
  readonly unused?: readonly UnusedPart[]
  /** In the source's order. */
  readonly images: readonly ReportImage[]
}

/** The part of a job that the run did, of a job that is divided among several runs. */
export interface ReportShard {
  /** From 0. */
  readonly index: number
  readonly count: number
  /** The measure by which the shards are even; absent if the run ended before it divided the job. */
  readonly by?: 'bytes' | 'images' | 'repository'
  /** The same in all shards that divided the same images in the same way; absent as `by`. */
  readonly plan?: string
}

/** A part of a source that was not used. */
export interface UnusedPart {
  /** Inside the source; empty for the source itself. */
  readonly path: string
  readonly bytes: number
  readonly reason: string
}

/** The figures of a run without its images; absent figures are 0. */
export interface RunFigures {
  readonly command: string
  readonly source: string
  readonly target: string
  readonly startedAt: Date
  readonly finishedAt: Date
  readonly blobs?: Partial<ReportTotals['blobs']>
  readonly bytes?: Partial<ReportTotals['bytes']>
  readonly requests?: number
  readonly retries?: number
  readonly unused?: readonly UnusedPart[]
  readonly warnings?: readonly string[]
  readonly shard?: ReportShard
  /** Failures that belong to no single image. With any of them the run is no success, even if its images are. */
  readonly errors?: readonly ReportError[]
  /** Nothing was changed, since nothing was meant to be. */
  readonly dryRun?: boolean
}

export function makeReport(run: RunFigures, images: readonly ReportImage[]): Report {
  const {errors = []} = run
  return {
    $schema: 'urn:mirror:report:v1',
    schema: 'mirror.report/v1',
    version: VERSION,
    command: run.command,
    source: run.source,
    target: run.target,
    startedAt: run.startedAt.toISOString(),
    finishedAt: run.finishedAt.toISOString(),
    outcome: outcomeOfRun(run, images),
    totals: {
      images: images.length,
      succeeded: images.filter(isDone).length,
      failed: images.filter(isFailed).length,
      blobs: {uploaded: 0, mounted: 0, present: 0, ...run.blobs},
      bytes: {uploaded: 0, present: 0, mounted: 0, decoded: 0, scratchPeak: 0, ...run.bytes},
      requests: run.requests ?? 0,
      retries: run.retries ?? 0,
    },
    shard: run.shard,
    error: errors[0],
    errors: errors.length > 1 ? errors : undefined,
    warnings: run.warnings?.length === 0 ? undefined : run.warnings,
    unused: run.unused === undefined || run.unused.length === 0 ? undefined : run.unused,
    images,
  }
}

/** The report of a run that came to nothing: its registry did not answer, another run held the lock, it was stopped. */
export function failedReport(run: RunFigures, error: ReportError): Report {
  const {images, ...report} = makeReport(run, [])
  return {...report, outcome: error.code === 'CANCELLED' ? 'cancelled' : 'failed', error, images}
}

/** Returns the outcome of a run. A drifted image counts as failed, a present image as done. */
export function outcomeOf(images: readonly {readonly status: ImageStatus}[]): Outcome {
  if (images.some(({status}) => status === 'cancelled')) return 'cancelled'
  const planned = isDryRun(images)
  if (images.some(isFailed)) return planned || images.some(isDone) ? 'partial' : 'failed'
  return planned ? 'planned' : 'ok'
}

function outcomeOfRun({errors: [error] = [], dryRun}: RunFigures, images: readonly ReportImage[]): Outcome {
  const outcome = error === undefined ? outcomeOf(images) : outcomeWithError(images, error)
  return outcome === 'ok' && dryRun === true ? 'planned' : outcome
}

function outcomeWithError(images: readonly ReportImage[], {code}: ReportError): Outcome {
  if (code === 'CANCELLED' || outcomeOf(images) === 'cancelled') return 'cancelled'
  return images.some(isDone) ? 'partial' : 'failed'
}

export function isDryRun(images: readonly {readonly status: ImageStatus}[]): boolean {
  return images.some(({status}) => status === 'planned')
}

function isDone({status}: {readonly status: ImageStatus}): boolean {
  return status === 'pushed' || status === 'present' || status === 'pruned' || status === 'verified'
}

export function isFailed({status}: {readonly status: ImageStatus}): boolean {
  return status === 'failed' || status === 'drifted' || status === 'differs'
}
