import type {Exchange} from '@airgap-mirror/oci-client'
import {createRenderer} from '../render/create-renderer.js'
import type {Renderer} from '../render/renderer.js'
import {exitCodeOfError, exitCodeOfReport, type ExitCode} from '../report/exit-code.js'
import {reportErrorOf} from '../report/report-error.js'
import {failedReport, type Report} from '../report/report.js'
import {wordedEvent, wordedReport} from '../report/word-advice.js'
import type {OutputSettings} from '../settings/output-settings.js'
import {listenForSignals, type Interruption} from '../signals.js'
import {fail, type FailOptions} from './fail.js'
import {writeOutputs} from './write-outputs.js'

/** What a command's work is given. */
export interface Run {
  readonly renderer: Renderer
  readonly interruption: Interruption
  readonly warn: (text: string) => void
  readonly note: (text: string) => void
  /** To be called once the first byte may be sent: from then on an error is no longer invalid input. */
  readonly onStart: () => void
}

export interface CommandOptions {
  readonly command: string
  /** Every flag of the command by name, so that advice names none that it lacks. */
  readonly flagTable: Readonly<Record<string, unknown>>
  /** As they were given, for the report of a run that comes to nothing. */
  readonly source: string
  readonly target: string
  readonly output: OutputSettings
  readonly dryRun: boolean
}

/** Runs a command's work to its exit code: progress, signals, and what was asked for at the end, however it ends. */
export async function runCommand(
  options: CommandOptions,
  work: (run: Run) => Promise<Report>,
): Promise<ExitCode> {
  const {command, output} = options
  const startedAt = new Date()
  const advised = {name: command, flags: options.flagTable}
  const plain = await createRenderer(output.progress, {stream: process.stderr, quiet: output.quiet})
  const renderer: Renderer = {...plain, onEvent: (event) => plain.onEvent(wordedEvent(event, advised))}
  const warn = (text: string): void => renderer.onEvent({type: 'warning', text})
  using interruption = listenForSignals({
    onDrain: () => warn('stopping: finishing what is nearly done; once more to leave at once'),
    onLeave: () => renderer.close(),
  })
  let sending = false
  const ending = (): FailOptions => ({
    command: advised,
    signal: interruption.received(),
    sending,
  })
  let report: Report
  let exitCode: ExitCode
  try {
    const worked = await work({
      renderer,
      interruption,
      warn,
      note: (text) => renderer.onEvent({type: 'note', text}),
      onStart: () => (sending = true),
    })
    report = wordedReport(worked, advised)
    renderer.finish(report)
    exitCode = exitCodeOfReport(report, ending())
  } catch (error) {
    renderer.close()
    await fail(error, ending())
    const failed = failedReport({...options, startedAt, finishedAt: new Date()}, reportErrorOf(error))
    report = wordedReport(failed, advised)
    exitCode = exitCodeOfError(error, ending())
  }
  try {
    await writeOutputs(report, {...options, exitCode, warn, signal: interruption.now})
  } catch (error) {
    await fail(error, ending())
    if (exitCode === 0) exitCode = exitCodeOfError(error, ending())
  }
  return exitCode
}

/** What a registry connection tells the run. */
export function listening(
  {renderer, warn, note}: Run,
  {verbose}: {readonly verbose: boolean},
): {
  readonly onWarning: (text: string) => void
  readonly onRetry: (retry: {what: string; wait: number; reason: string}) => void
  readonly onExchange?: (exchange: Exchange) => void
} {
  return {
    onWarning: warn,
    onRetry: (retry) => renderer.onEvent({type: 'retry', ...retry}),
    ...(verbose ? {onExchange: (exchange: Exchange) => note(exchangeLine(exchange))} : {}),
  }
}

function exchangeLine({method, url, status, milliseconds, error}: Exchange): string {
  return `${method} ${url} ${status ?? '-'} ${Math.round(milliseconds)} ms${error === undefined ? '' : ` ${error}`}`
}
