import {isMirrorError, MirrorError} from '@airgap-mirror/oci-client/model'
import {exitCodeOfError, type ExitCodeOptions} from '../report/exit-code.js'
import type {AdvisedCommand} from '../text/advice/words.js'
import {formatError} from '../text/format-error.js'

export interface FailOptions extends ExitCodeOptions {
  /** The command that failed, for its flags and its help. */
  readonly command: AdvisedCommand | undefined
}

/** Says on standard error what ended the run, and sets the exit code. The one place where errors become both. */
export async function fail(error: unknown, options: FailOptions): Promise<void> {
  if (isHelp(error)) {
    process.exitCode = 0
    return
  }
  const shown = asUsage(error, options.command?.name) ?? error
  process.exitCode = exitCodeOfError(shown, options)
  process.stderr.write(formatError(shown, options))
}

/** oclif ends `--help` and `--version` with an error whose exit code is 0. */
function isHelp(error: unknown): boolean {
  return exitCodeIn(error) === 0
}

/** What oclif says of flags and unknown commands is a usage error like any other. */
function asUsage(error: unknown, command: string | undefined): MirrorError | undefined {
  if (isMirrorError(error) || !(error instanceof Error) || exitCodeIn(error) === undefined) return undefined
  const typed = command === undefined ? '' : `${command} `
  const [message = 'wrong usage'] = error.message.split('\nSee more help with')
  return new MirrorError(
    'USAGE',
    message
      .trim()
      .split(/\s*\n\s*/)
      .join('; '),
    {
      hint: `Run "mirror ${typed}--help" to see how it is used.`,
    },
  )
}

function exitCodeIn(error: unknown): number | undefined {
  const exit = (error as {oclif?: {exit?: unknown}} | undefined)?.oclif?.exit
  return typeof exit === 'number' ? exit : undefined
}
