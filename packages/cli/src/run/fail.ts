import {exitCodeOfError, withExitCode, type ExitCodeOptions} from '../report/exit-code.js'
import {reportErrorOf} from '../report/report-error.js'
import {failedReport} from '../report/report.js'
import {formatReport} from '../report/write-report.js'
import type {AdvisedCommand} from '../text/advice/words.js'
import {formatError} from '../text/format-error.js'
import {exitCodeIn, usageErrorOf} from './usage-error.js'
import {wordedReport} from './word-advice.js'

export interface FailOptions extends ExitCodeOptions {
  /** The command that failed, for its flags and its help. */
  readonly command: AdvisedCommand | undefined
  /** The arguments of a command that wrote no report: with --json, one is printed. */
  readonly argv?: readonly string[]
}

/** Prints the error that ended the run to standard error, and sets the exit code. No other place does either. */
export async function fail(error: unknown, options: FailOptions): Promise<void> {
  if (isHelp(error)) {
    process.exitCode = 0
    return
  }
  const {command, argv = []} = options
  const shown = usageErrorOf(error, command) ?? error
  const exitCode = exitCodeOfError(shown, options)
  process.exitCode = exitCode
  process.stderr.write(formatError(shown, options))
  if (argv.includes('--json')) {
    const now = new Date()
    const about = {command: command?.name ?? '', source: '', target: '', startedAt: now, finishedAt: now}
    const report = withExitCode(failedReport(about, reportErrorOf(shown)), exitCode)
    process.stdout.write(formatReport(command === undefined ? report : wordedReport(report, command)))
  }
}

/** oclif ends `--help` and `--version` with an error whose exit code is 0. */
function isHelp(error: unknown): boolean {
  return exitCodeIn(error) === 0
}
