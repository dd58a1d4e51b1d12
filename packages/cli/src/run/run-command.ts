import type {OnWarning} from '@airgap-mirror/oci-client/model'
import {createRenderer} from '../render/create-renderer.js'
import {exitCodeOfError, exitCodeOfReport, withExitCode, type ExitCode} from '../report/exit-code.js'
import {reportErrorOf} from '../report/report-error.js'
import {failedReport, makeReport, type Report, type RunFigures} from '../report/report.js'
import {wordedEvent, wordedReport} from './word-advice.js'
import type {Renderer} from '../render/renderer.js'
import {flagReader, type FlagReader} from '../settings/flag-values.js'
import {readOutputFlags, stateDirectory, type OutputSettings} from '../settings/output-settings.js'
import {passwordWarnings} from '../settings/registry-settings.js'
import {openState, type State} from '../state/open-state.js'
import {AlikeWarnings} from './alike-warnings.js'
import {fail, type FailOptions} from './fail.js'
import {Kept} from './kept.js'
import {outputError, outputProblems} from './output-problems.js'
import type {Trace} from './record-trace.js'
import {listenForSignals} from './signals.js'
import type {CommandOptions, Sides, Work} from './work.js'
import {writeOutputs} from './write-outputs.js'

/** The most warnings in a report. */
const WARNINGS = 1000

/**
 * Runs a command's work and sets its exit code: settings, progress, signals, saved state and the report. Writes the
 * requested files at the end, however the work ends.
 */
export async function runCommand<Settings extends Sides>(
  options: CommandOptions<Settings>,
): Promise<ExitCode> {
  const output = readOutputFlags(flagReader(options.flags))
  const renderer = await createRenderer(output.progress, {stream: process.stderr, quiet: output.quiet})
  using running = new RunningCommand(options, {output, renderer})
  return await running.run()
}

/** A command from its flags to its exit code. Dispose of it to stop listening for signals. */
class RunningCommand<Settings extends Sides> implements Disposable {
  readonly #options: CommandOptions<Settings>
  readonly #reader: FlagReader
  readonly #output: OutputSettings
  readonly #dryRun: boolean
  readonly #renderer: Renderer
  readonly #warnOnce: (text: string) => void
  readonly #alike: AlikeWarnings
  readonly #interruption: ReturnType<typeof listenForSignals>
  /** For the report: each by itself, also those that are alike. */
  readonly #warnings = new Set<string>()
  #startedAt = new Date()
  #sending = false
  #sides: Sides
  #trace: Trace | undefined
  /** Absent outputs, because they could not be written. */
  #unwritable: Partial<OutputSettings> = {}

  readonly #warn: OnWarning = (text, about) => {
    if (this.#warnings.size < WARNINGS) this.#warnings.add(text)
    if (about === undefined) this.#warnOnce(text)
    else this.#alike.add(text, about)
  }

  readonly #note = (text: string): void => this.#renderer.onEvent({type: 'note', text})

  constructor(
    options: CommandOptions<Settings>,
    {output, renderer}: {readonly output: OutputSettings; readonly renderer: Renderer},
  ) {
    this.#options = options
    this.#reader = flagReader(options.flags)
    this.#output = output
    this.#dryRun = this.#reader.on('dry-run')
    this.#sides = options.given
    this.#renderer = this.#wording(renderer)
    this.#warnOnce = once((text) => renderer.onEvent({type: 'warning', text}))
    this.#alike = new AlikeWarnings(this.#warnOnce)
    this.#interruption = listenForSignals({
      onDrain: () =>
        this.#warn('stopping after the transfers that are almost complete; press Ctrl-C again to stop now'),
      onLeave: () => {
        this.#renderer.close()
        this.#trace?.close()
      },
      timeout: output.timeout,
    })
  }

  async run(): Promise<ExitCode> {
    const {command} = this.#options
    let report: Report
    let exitCode: ExitCode
    try {
      report = wordedReport(await this.#work(), command)
      this.#alike.flush()
      this.#renderer.finish(report)
      exitCode = exitCodeOfReport(report, this.#ending())
    } catch (error) {
      this.#alike.flush()
      this.#renderer.close()
      await fail(error, this.#ending())
      report = wordedReport(failedReport(this.#about(), reportErrorOf(error)), command)
      exitCode = exitCodeOfError(error, this.#ending())
    }
    this.#endTrace()
    try {
      await writeOutputs(withExitCode(report, exitCode), {
        output: {...this.#output, ...this.#unwritable},
        dryRun: this.#dryRun,
        exitCode,
        warn: this.#warn,
        signal: this.#interruption.now,
      })
    } catch (error) {
      await fail(error, this.#ending())
      if (exitCode === 0) exitCode = exitCodeOfError(error, this.#ending())
    }
    return exitCode
  }

  [Symbol.dispose](): void {
    this.#interruption[Symbol.dispose]()
  }

  async #work(): Promise<Report> {
    const {read, flags, bundles, work} = this.#options
    const settings = await read(flags)
    this.#sides = settings
    for (const text of passwordWarnings(flags)) this.#warn(text)
    await using kept = new Kept()
    const directory = stateDirectory(this.#reader)
    const state = await this.#openState(directory)
    // After the state directory was made: a cron job may keep its report there.
    await this.#checkOutputs(bundles?.(settings) ?? [])
    const {trace} = this.#output
    if (trace !== undefined) this.#trace = await (await import('./record-trace.js')).recordTrace(trace)
    const {soon, now} = this.#interruption
    const done = await work(settings, {
      renderer: this.#renderer,
      output: this.#output,
      dryRun: this.#dryRun,
      stop: {soon, now},
      warn: this.#warn,
      note: this.#note,
      onStart: () => (this.#sending = true),
      state,
      stateDirectory: state === undefined ? undefined : directory,
      keep: (resource, figures) => kept.add(resource, figures),
    })
    return this.#reportOf(done, kept)
  }

  async #openState(directory: string | undefined): Promise<State | undefined> {
    const {remembers} = this.#options
    if (remembers === undefined) return undefined
    const {layerFormat, told} = remembers
    return openState({directory, layerFormat, onNote: told === 'note' ? this.#note : this.#warn})
  }

  async #checkOutputs(bundles: readonly string[]): Promise<void> {
    const problems = await outputProblems(this.#output, bundles)
    this.#unwritable = Object.fromEntries(problems.map(({key}) => [key, undefined]))
    if (problems.length > 0) throw outputError(problems)
  }

  #reportOf(done: Work, kept: Kept): Report {
    const {requests, retries, bytes, unused} = kept.figures()
    return makeReport(
      {
        ...this.#about(),
        blobs: done.blobs ?? {},
        bytes: {...done.bytes, ...bytes},
        requests,
        retries,
        unused,
        shard: done.shard ?? this.#sides.shard,
        errors: done.troubles?.map((trouble) => reportErrorOf(trouble)),
      },
      done.images,
    )
  }

  #endTrace(): void {
    this.#trace?.close()
    const incomplete = this.#trace?.problem()
    if (incomplete !== undefined) this.#warn(incomplete)
  }

  #ending(): FailOptions {
    return {
      command: this.#options.command,
      endedBy: this.#interruption.received(),
      isOverdue: this.#interruption.isOverdue(),
      sending: this.#sending,
    }
  }

  #about(): RunFigures {
    const {source, target, shard} = this.#sides
    const command = this.#options.command.name
    const dryRun = this.#dryRun
    const warnings = [...this.#warnings]
    const startedAt = this.#startedAt
    return {command, source, target, shard, startedAt, finishedAt: new Date(), dryRun, warnings}
  }

  /** Returns a renderer that words advice, gathers warnings that are alike, and lets a person take their time. */
  #wording(renderer: Renderer): Renderer {
    return {
      ...renderer,
      onEvent: (event) => {
        if (event.type === 'warning') this.#warn(event.text, event.about)
        else renderer.onEvent(wordedEvent(event, this.#options.command))
      },
      suspend: () => {
        const resume = renderer.suspend()
        const restart = this.#interruption.pause()
        const suspendedAt = Date.now()
        return () => {
          // The time that a person takes to answer is no time of the run.
          this.#startedAt = new Date(this.#startedAt.getTime() + Date.now() - suspendedAt)
          restart()
          resume()
        }
      },
    }
  }
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
