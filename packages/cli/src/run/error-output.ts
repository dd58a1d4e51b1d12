import {withExitCode, type ExitCode} from '../report/exit-code.js'
import {failedReport, type ReportError} from '../report/report.js'
import {formatReport} from '../report/write-report.js'
import type {AdvisedCommand} from '../text/advice/words.js'
import {jsonText} from '../text/printable.js'
import {wordedError, wordedReport} from './word-advice.js'

/** A report, the schema of the command's own output, or nothing because the command prints its errors itself. */
export type ErrorsAs = 'report' | 'inspect' | 'doctor' | 'explain' | 'check' | 'nothing'

export interface ErrorOutputOptions {
  readonly command: AdvisedCommand | undefined
  readonly errorsAs: ErrorsAs
  /** The bundle of `inspect`, as it was typed. */
  readonly source?: string
  readonly exitCode: ExitCode
}

/** Returns the JSON of a command that ended before it had any other output. */
export function errorOutput(
  error: ReportError,
  {command, errorsAs, source = '', exitCode}: ErrorOutputOptions,
): string {
  if (errorsAs === 'nothing') return ''
  if (errorsAs === 'report') {
    const now = new Date()
    const about = {command: command?.name ?? '', source: '', target: '', startedAt: now, finishedAt: now}
    const report = withExitCode(failedReport(about, error), exitCode)
    return formatReport(command === undefined ? report : wordedReport(report, command))
  }
  const worded = command === undefined ? error : wordedError(error, command)
  const about = {
    $schema: `urn:mirror:${errorsAs}:v1`,
    schema: `mirror.${errorsAs}/v1`,
    source: errorsAs === 'inspect' ? source : undefined,
  }
  return `${jsonText({...about, error: worded}, 2)}\n`
}
