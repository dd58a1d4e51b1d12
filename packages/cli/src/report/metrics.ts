import {open, stat} from 'node:fs/promises'
import type {ExitCode} from './exit-code.js'
import type {ImageStatus, Report} from './report.js'
import {printable} from '../text/printable.js'
import {writeAtomically} from '../files/write-atomically.js'

export interface MetricsOptions {
  readonly exitCode: ExitCode
  /** The earlier text of the file. A failing run keeps the time of the last success from it. */
  readonly previous?: string
}

/** A metric with one value, or with a value for each value of its label. */
interface Metric {
  readonly name: string
  readonly help: string
  readonly label?: string
  readonly values: readonly (readonly [labelValue: string, value: number])[]
}

/**
 * A run in the text exposition format of Prometheus, for the textfile collector of node_exporter. Each metric has the labels
 * `command`, `source` and `target`, so that files of several runs can lie side by side. A part of a job has the label `shard`
 * as well. A run succeeded if its exit code is 0 and it was no dry run. Without any success the time is 0, so that an alert on
 * its age fires.
 */
export function formatMetrics(report: Report, options: MetricsOptions): string {
  const {command, source, target, shard} = report
  const common: readonly (readonly [string, string])[] = [
    ['command', command],
    ['source', source],
    ['target', target],
    ...(shard === undefined ? [] : [['shard', `${shard.index}/${shard.count}`] as const]),
  ]
  // A run that could not read its settings may not know its target: the time is kept by command and source.
  const start = `${SUCCESS}${labels(common.slice(0, 2)).slice(0, -1)},`
  const success = lastSuccess(report, {...options, start})
  return metricsOf(report, {exitCode: options.exitCode, success})
    .map(({name, help, label, values}) => {
      const samples = values.map(([labelValue, value]) => {
        const all = label === undefined ? common : [...common, [label, labelValue] as const]
        return `${name}${labels(all)} ${value}\n`
      })
      return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${samples.join('')}`
    })
    .join('')
}

/**
 * `--metrics FILE`, readable for everybody, since node_exporter is another user.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function writeMetrics(
  path: string,
  {report, exitCode}: {readonly report: Report; readonly exitCode: ExitCode},
): Promise<void> {
  const previous = await readPrevious(path)
  await writeAtomically(path, formatMetrics(report, {exitCode, previous}), {mode: MODE})
}

const MODE = 0o644
/** A generous limit: the files we write have some 3 KiB, most of it labels. */
const PREVIOUS_BYTES = 1024 * 1024

const SUCCESS = 'mirror_last_success_timestamp_seconds'

/** Every status that a run can end with: a series that is there only at times cannot be alerted on. */
const STATUSES = [
  'pushed',
  'present',
  'failed',
  'skipped',
  'cancelled',
  'drifted',
  'pruned',
  'verified',
  'differs',
] as const satisfies readonly ImageStatus[]

function metricsOf(
  {finishedAt, startedAt, images, totals}: Report,
  {exitCode, success}: {readonly exitCode: ExitCode; readonly success: number},
): readonly Metric[] {
  const {uploaded, downloaded = 0, mounted, present} = totals.bytes
  const ended = Date.parse(finishedAt)
  return [
    {
      name: 'mirror_last_run_timestamp_seconds',
      help: 'The end of the last run, in seconds since 1970.',
      ...one(ended / 1000),
    },
    {
      name: SUCCESS,
      help: 'The time of the last success, in seconds since 1970; 0 if there was none.',
      ...one(success),
    },
    {
      name: 'mirror_last_run_duration_seconds',
      help: 'How long the last run took.',
      ...one(Math.max(0, ended - Date.parse(startedAt)) / 1000),
    },
    {
      name: 'mirror_last_run_exit_code',
      help: 'Exit code of the last run; 0 is success.',
      ...one(exitCode),
    },
    {
      name: 'mirror_last_run_images',
      help: 'Images of the last run, by their status.',
      label: 'status',
      values: STATUSES.map((status) => [status, images.filter((image) => image.status === status).length]),
    },
    {
      name: 'mirror_last_run_bytes',
      help: 'Bytes of blobs in the last run, by the way they went; present: bytes that were already at the target.',
      label: 'direction',
      values: Object.entries({uploaded, downloaded, mounted, present}),
    },
    {
      name: 'mirror_last_run_requests',
      help: 'HTTP requests of the last run.',
      ...one(totals.requests),
    },
    {
      name: 'mirror_last_run_retries',
      help: 'What the last run had to try again.',
      ...one(totals.retries),
    },
  ]
}

function one(value: number): Pick<Metric, 'values'> {
  return {values: [['', value]]}
}

function lastSuccess(
  {finishedAt, outcome}: Report,
  {exitCode, previous = '', start}: MetricsOptions & {readonly start: string},
): number {
  const now = Date.parse(finishedAt) / 1000
  if (exitCode === 0 && outcome !== 'planned') return now
  const values = previous
    .split('\n')
    .filter((line) => line.startsWith(start))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1) || Number.NaN))
  // A time in the future would keep every alert quiet until then.
  return Math.max(0, ...values.filter((value) => value >= 0 && value <= now))
}

function labels(pairs: readonly (readonly [name: string, value: string])[]): string {
  return `{${pairs.map(([name, value]) => `${name}="${escaped(value)}"`).join(',')}}`
}

/** Line breaks are written as escapes by `printable`. */
function escaped(value: string): string {
  return printable(value)
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
}

/** Resolves to undefined if the file cannot be read, because a failing write is reported later. */
async function readPrevious(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path)
    // A pipe would keep its reader waiting.
    if (!stats.isFile() || stats.size > PREVIOUS_BYTES) return undefined
    await using file = await open(path)
    const {buffer, bytesRead} = await file.read(Buffer.alloc(PREVIOUS_BYTES), 0, PREVIOUS_BYTES, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } catch {
    return undefined
  }
}
