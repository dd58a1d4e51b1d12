import type {Exchange} from '@airgap-mirror/oci-client'
import {createRenderer} from '../render/create-renderer.js'
import type {Renderer} from '../render/renderer.js'
import {exitCodeOfError, exitCodeOfReport, type ExitCode} from '../report/exit-code.js'
import {formatPlan} from '../report/plan-table.js'
import type {Report} from '../report/report.js'
import {formatReport, writeFailed, writeReport} from '../report/write-report.js'
import type {OutputSettings} from '../settings/output-settings.js'
import {listenForSignals, type Interruption} from '../signals.js'
import {fail} from './fail.js'

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
  readonly output: OutputSettings
  readonly dryRun: boolean
}

/** Runs a command's work to its exit code: progress, signals, and what was asked for at the end. */
export const runCommand = async (
  {command, output, dryRun}: CommandOptions,
  work: (run: Run) => Promise<Report>,
): Promise<ExitCode> => {
  const renderer = await createRenderer(output.progress, {stream: process.stderr, quiet: output.quiet})
  const warn = (text: string): void => renderer.onEvent({type: 'warning', text})
  using interruption = listenForSignals({
    onDrain: () => warn('stopping: finishing what is nearly done; once more to leave at once'),
    onLeave: () => renderer.close(),
  })
  let sending = false
  try {
    const report = await work({
      renderer,
      interruption,
      warn,
      note: (text) => renderer.onEvent({type: 'note', text}),
      onStart: () => (sending = true),
    })
    renderer.finish(report)
    await writeOutputs(report, {output, dryRun})
    return exitCodeOfReport(report, {signal: interruption.received()})
  } catch (error) {
    renderer.close()
    const ending = {command, signal: interruption.received(), sending}
    await fail(error, ending)
    return exitCodeOfError(error, ending)
  }
}

/** What a registry connection tells the run. */
export const listening = (
  {renderer, warn, note}: Run,
  {verbose}: {readonly verbose: boolean},
): {
  readonly onWarning: (text: string) => void
  readonly onRetry: (retry: {what: string; wait: number; reason: string}) => void
  readonly onExchange?: (exchange: Exchange) => void
} => ({
  onWarning: warn,
  onRetry: (retry) => renderer.onEvent({type: 'retry', ...retry}),
  ...(verbose ? {onExchange: (exchange: Exchange) => note(exchangeLine(exchange))} : {}),
})

const writeOutputs = async (
  report: Report,
  {output, dryRun}: Pick<CommandOptions, 'output' | 'dryRun'>,
): Promise<void> => {
  if (output.report !== undefined) await writeReport(output.report, report)
  if (output.failed !== undefined) await writeFailed(output.failed, report)
  if (output.json) process.stdout.write(formatReport(report))
  else if (dryRun && !output.quiet) process.stdout.write(formatPlan(report))
}

const exchangeLine = ({method, url, status, milliseconds, error}: Exchange): string =>
  `${method} ${url} ${status ?? '-'} ${Math.round(milliseconds)} ms${error === undefined ? '' : ` ${error}`}`
