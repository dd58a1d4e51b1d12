import type {MirrorError, OnWarning} from '@airgap-mirror/oci-client/model'
import {createRenderer} from '../render/create-renderer.js'
import {exitCodeOfError, exitCodeOfReport, withExitCode, type ExitCode} from '../report/exit-code.js'
import {reportErrorOf} from '../report/report-error.js'
import {
  failedReport,
  makeReport,
  type Report,
  type ReportImage,
  type ReportShard,
  type RunFigures,
} from '../report/report.js'
import {wordedEvent, wordedReport} from './word-advice.js'
import type {Renderer} from '../render/renderer.js'
import type {AdvisedCommand} from '../text/advice/words.js'
import {flagReader, type FlagValues} from '../settings/flag-values.js'
import {readOutputFlags, stateDirectory, type OutputSettings} from '../settings/output-settings.js'
import {passwordWarnings} from '../settings/registry-settings.js'
import {openState} from '../state/open-state.js'
import {AlikeWarnings} from './alike-warnings.js'
import {fail, type FailOptions} from './fail.js'
import {Kept} from './kept.js'
import type {Run} from './run.js'
import {outputError, outputProblems} from './output-problems.js'
import type {Trace} from './record-trace.js'
import {listenForSignals} from './signals.js'
import {writeOutputs} from './write-outputs.js'

/** The two sides of a run, as the report calls them. */
export interface Sides {
  readonly source: string
  readonly target: string
  /** The part of the job that the run does; absent: all of it. */
  readonly shard?: ReportShard
}

/** The results of a command's work, from which the report is made. */
export interface Work {
  readonly images: readonly ReportImage[]
  readonly blobs?: RunFigures['blobs']
  readonly bytes?: RunFigures['bytes']
  /** Failures that belong to no single image. With any of them the run is no success. */
  readonly troubles?: readonly MirrorError[]
  /** Absent if the run did the whole job. */
  readonly shard?: ReportShard
}

export interface CommandOptions<Settings extends Sides> {
  /** With every flag by name, so that advice names none that it lacks. */
  readonly command: AdvisedCommand
  readonly flags: FlagValues
  /** As they were given: for the report of a run whose settings cannot be read. */
  readonly given: Sides
  /** Reads and checks all flags, and the files they name. Nothing below knows of flags. */
  readonly read: (flags: FlagValues) => Promise<Settings>
  /** Absent: the command remembers nothing. */
  readonly remembers?: {
    /** The version of the compressor of layers; 0 for a command that compresses none. */
    readonly layerFormat: number
    /** The way in which unusable state is told. */
    readonly told: 'note' | 'warning'
  }
  /** Paths of bundles that the run reads or writes: no output may replace them. */
  readonly bundles?: (settings: Settings) => readonly string[]
  readonly work: (settings: Settings, run: Run) => Promise<Work>
}

/**
 * Runs a command's work and sets its exit code: settings, progress, signals, saved state and the report. Writes the
 * requested files at the end, however the work ends.
 */
export async function runCommand<Settings extends Sides>(
  options: CommandOptions<Settings>,
): Promise<ExitCode> {
  const {command, flags} = options
  const reader = flagReader(flags)
  const output = readOutputFlags(reader)
  const dryRun = reader.on('dry-run')
  let startedAt = new Date()
  const plain = await createRenderer(output.progress, {stream: process.stderr, quiet: output.quiet})
  const renderer: Renderer = {
    ...plain,
    onEvent: (event) => {
      if (event.type === 'warning' && event.about !== undefined) alike.add(event.text, event.about)
      else plain.onEvent(wordedEvent(event, command))
    },
    suspend() {
      const resume = plain.suspend()
      const restart = interruption.pause()
      const suspendedAt = Date.now()
      return () => {
        // The time that a person takes to answer is no time of the run.
        startedAt = new Date(startedAt.getTime() + Date.now() - suspendedAt)
        restart()
        resume()
      }
    },
  }
  const warnOnce = once((text) => renderer.onEvent({type: 'warning', text}))
  const alike = new AlikeWarnings(warnOnce)
  const warn: OnWarning = (text, about) => (about === undefined ? warnOnce(text) : alike.add(text, about))
  const note = (text: string): void => renderer.onEvent({type: 'note', text})
  using interruption = listenForSignals({
    onDrain: () =>
      warn('stopping after the transfers that are almost complete; press Ctrl-C again to stop now'),
    onLeave: () => {
      renderer.close()
      trace?.close()
    },
    timeout: output.timeout,
  })
  const {soon, now} = interruption
  let sending = false
  let trace: Trace | undefined
  let sides: Sides = options.given
  let unwritable: Partial<OutputSettings> = {}
  const ending = (): FailOptions => ({
    command,
    endedBy: interruption.received(),
    isOverdue: interruption.isOverdue(),
    sending,
  })
  const about = (): RunFigures => {
    const {source, target, shard} = sides
    return {command: command.name, source, target, shard, startedAt, finishedAt: new Date(), dryRun}
  }
  const work = async (): Promise<Report> => {
    const settings = await options.read(flags)
    sides = settings
    for (const text of passwordWarnings(flags)) warn(text)
    await using kept = new Kept()
    const directory = stateDirectory(reader)
    const state =
      options.remembers === undefined
        ? undefined
        : await openState({
            directory,
            layerFormat: options.remembers.layerFormat,
            onNote: options.remembers.told === 'note' ? note : warn,
          })
    // After the state directory was made: a cron job may keep its report there.
    const problems = await outputProblems(output, options.bundles?.(settings) ?? [])
    unwritable = Object.fromEntries(problems.map(({key}) => [key, undefined]))
    if (problems.length > 0) throw outputError(problems)
    if (output.trace !== undefined)
      trace = await (await import('./record-trace.js')).recordTrace(output.trace)
    const done = await options.work(settings, {
      renderer,
      output,
      dryRun,
      stop: {soon, now},
      warn,
      note,
      onStart: () => (sending = true),
      state,
      stateDirectory: state === undefined ? undefined : directory,
      keep: (resource, figures) => kept.add(resource, figures),
    })
    const {requests, retries, bytes, unused} = kept.figures()
    return makeReport(
      {
        ...about(),
        blobs: done.blobs ?? {},
        bytes: {...done.bytes, ...bytes},
        requests,
        retries,
        unused,
        shard: done.shard ?? sides.shard,
        errors: done.troubles?.map((trouble) => reportErrorOf(trouble)),
      },
      done.images,
    )
  }
  let report: Report
  let exitCode: ExitCode
  try {
    report = wordedReport(await work(), command)
    alike.flush()
    renderer.finish(report)
    exitCode = exitCodeOfReport(report, ending())
  } catch (error) {
    alike.flush()
    renderer.close()
    await fail(error, ending())
    report = wordedReport(failedReport(about(), reportErrorOf(error)), command)
    exitCode = exitCodeOfError(error, ending())
  }
  trace?.close()
  const incomplete = trace?.problem()
  if (incomplete !== undefined) warn(incomplete)
  try {
    await writeOutputs(withExitCode(report, exitCode), {
      output: {...output, ...unwritable},
      dryRun,
      exitCode,
      warn,
      signal: now,
    })
  } catch (error) {
    await fail(error, ending())
    if (exitCode === 0) exitCode = exitCodeOfError(error, ending())
  }
  return exitCode
}

/** Passes each text on once: several registries may have the same to warn of. */
function once(tell: (text: string) => void): (text: string) => void {
  const told = new Set<string>()
  return (text) => {
    if (told.has(text)) return
    told.add(text)
    tell(text)
  }
}
