import {isMirrorError} from '@airgap-mirror/oci-client/model'
import {writeStandardOutput} from './standard-streams.js'
import type {ExitCode} from '../report/exit-code.js'
import {formatPlan} from '../report/plan-table.js'
import type {Report} from '../report/report.js'
import {formatReport, writeFailed, writeReport} from '../report/write-report.js'
import type {OutputSettings} from '../settings/output-settings.js'

export interface OutputsOptions {
  readonly output: OutputSettings
  readonly dryRun: boolean
  readonly exitCode: ExitCode
  readonly warn: (text: string) => void
  readonly signal: AbortSignal
}

/** The person who interrupted a run knows of it. */
const UNTOLD: ReadonlySet<ExitCode> = new Set<ExitCode>([0, 129, 130, 143])

/**
 * Writes all files requested for the end of a run; each is tried even if others fail. A file that cannot be written is a
 * warning, because the exit code tells the outcome of the run.
 * @throws {MirrorError} WRITE_FAILED for standard output, which is what was asked for
 */
export async function writeOutputs(report: Report, options: OutputsOptions): Promise<void> {
  const {output, dryRun, exitCode, warn, signal} = options
  const attempt = async (write: () => Promise<unknown>): Promise<void> => {
    try {
      await write()
    } catch (error) {
      if (!isMirrorError(error)) throw error
      warn(error.message)
    }
  }
  const {report: reportFile, failed, junit, metrics, notify} = output
  if (reportFile !== undefined) await attempt(() => writeReport(reportFile, report))
  // If a run came to nothing, its images are not known.
  const isKnown = report.error === undefined || report.images.length > 0
  if (failed !== undefined && isKnown) await attempt(() => writeFailed(failed, report))
  if (junit !== undefined)
    await attempt(async () => (await import('../report/junit.js')).writeJunit(junit, report))
  if (metrics !== undefined && !dryRun)
    await attempt(async () =>
      (await import('../report/metrics.js')).writeMetrics(metrics, {report, exitCode}),
    )
  let unwritten: unknown
  try {
    if (output.json) await writeStandardOutput(formatReport(report))
    else if (dryRun && !output.quiet && isKnown) await writeStandardOutput(formatPlan(report))
  } catch (error) {
    unwritten = error
  }
  if (notify !== undefined && !dryRun && !UNTOLD.has(exitCode)) {
    const {runNotifyCommand} = await import('./notify.js')
    const problem = await runNotifyCommand(notify, {report, exitCode, signal})
    if (problem !== undefined) warn(problem)
  }
  if (unwritten !== undefined) throw unwritten
}
