import {exitCodeOfError, type ExitCodeOptions} from '../report/exit-code.js'
import {reportErrorOf} from '../report/report-error.js'
import type {AdvisedCommand} from '../text/advice/words.js'
import {formatError} from '../text/format-error.js'
import {EndedBySignal} from './ended-by-signal.js'
import {errorOutput, type ErrorsAs} from './error-output.js'
import {exitCodeIn, usageErrorOf} from './usage-error.js'

export interface FailOptions extends ExitCodeOptions {
  /** The command that failed, for its flags and its help. */
  readonly command: AdvisedCommand | undefined
  /** The arguments of a command that wrote no JSON: with --json, the error is printed as such. */
  readonly argv?: readonly string[]
  /** Default: a report. */
  readonly errorsAs?: ErrorsAs
  /** The bundle of `inspect`, as it was typed. */
  readonly source?: string
}

/** Prints the error that ended the run to standard error, and sets the exit code. No other place does either. */
export async function fail(thrown: unknown, given: FailOptions): Promise<void> {
  const bySignal = thrown instanceof EndedBySignal ? thrown : undefined
  const error = bySignal?.error ?? thrown
  const options = bySignal === undefined ? given : {...given, endedBy: bySignal.signal}
  if (isHelp(error)) {
    process.exitCode = 0
    return
  }
  const {command, argv = [], errorsAs = 'report', source} = options
  const shown = usageErrorOf(error, command) ?? error
  const exitCode = exitCodeOfError(shown, options)
  process.exitCode = exitCode
  process.stderr.write(formatError(shown, options))
  if (argv.includes('--json')) {
    process.stdout.write(errorOutput(reportErrorOf(shown), {command, errorsAs, source, exitCode}))
  }
}

/** oclif ends `--help` and `--version` with an error whose exit code is 0. */
function isHelp(error: unknown): boolean {
  return exitCodeIn(error) === 0
}
