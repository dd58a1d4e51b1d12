import {setMaxListeners} from 'node:events'
import {decoders, LAYER_FORMAT, openBundle, type BundleSource} from '@airgap-mirror/bundle'
import {
  openRegistry,
  type CredentialProvider,
  type Exchange,
  type HostKnowledge,
  type Registry,
} from '@airgap-mirror/oci-client'
import {cancelled, isMirrorError} from '@airgap-mirror/oci-client/model'
import {push} from '../engine/push.js'
import {createRenderer} from '../render/create-renderer.js'
import type {Renderer} from '../render/renderer.js'
import {exitCodeOfError, exitCodeOfReport, type ExitCode} from '../report/exit-code.js'
import {formatPlan} from '../report/plan-table.js'
import {makeReport, type Report} from '../report/report.js'
import {formatReport, writeFailed, writeReport} from '../report/write-report.js'
import {openCredentials} from '../settings/credentials.js'
import type {FlagValues} from '../settings/flag-values.js'
import {readPushSettings, type PushSettings} from '../settings/push-settings.js'
import {passwordWarnings} from '../settings/registry-settings.js'
import {listenForSignals, type Interruption} from '../signals.js'
import {openState, type State} from '../state/open-state.js'
import {fail} from './fail.js'

/** Runs a push to its exit code: opens both sides, calls the engine, writes what was asked for. */
export const runPush = async (flags: FlagValues): Promise<ExitCode> => {
  const settings = await readPushSettings(flags)
  const renderer = await createRenderer(settings.output.progress, {
    stream: process.stderr,
    quiet: settings.output.quiet,
  })
  using interruption = listenForSignals({
    onDrain: () =>
      renderer.onEvent({
        type: 'warning',
        text: 'stopping: finishing what is nearly done; once more to leave at once',
      }),
    onLeave: () => renderer.close(),
  })
  const run = {sending: false}
  try {
    const credentials = await openCredentials(settings.registrySettings, {
      registry: settings.rules.registry,
      side: 'target',
      suspend: () => renderer.suspend(),
    })
    for (const text of passwordWarnings(flags)) renderer.onEvent({type: 'warning', text})
    const report = await pushAndReport(settings, {renderer, interruption, credentials, run})
    renderer.finish(report)
    await writeOutputs(settings, report)
    return exitCodeOfReport(report, {signal: interruption.received()})
  } catch (error) {
    renderer.close()
    const ending = {command: 'push', signal: interruption.received(), sending: run.sending}
    await fail(error, ending)
    return exitCodeOfError(error, ending)
  }
}

interface PushRun {
  readonly renderer: Renderer
  readonly interruption: Interruption
  /** Undefined: none is looked up. */
  readonly credentials: CredentialProvider | undefined
  /** Set once the first byte may have been sent: from then on an error is no longer invalid input. */
  readonly run: {sending: boolean}
}

const pushAndReport = async (
  settings: PushSettings,
  {renderer, interruption, credentials, run}: PushRun,
): Promise<Report> => {
  const startedAt = new Date()
  const {onEvent} = renderer
  const {registry: registryName} = settings.rules
  const warn = (text: string): void => onEvent({type: 'warning', text})
  if (settings.registry.tls?.insecureSkipVerify === true)
    warn(`the certificate of ${registryName} is not checked`)
  const {verbose} = settings.output
  const note = (text: string): void => onEvent({type: 'note', text})
  const state = await openState({directory: settings.state, layerFormat: LAYER_FORMAT, onNote: note})
  await using registry = openRegistry({
    ...settings.registry,
    knowledge: await state?.hosts.load(registryName),
    journal: state?.uploads(registryName),
    ...(credentials === undefined ? {} : {credentials}),
    onWarning: warn,
    onRetry: (retry) => onEvent({type: 'retry', ...retry}),
    ...(verbose ? {onExchange: (exchange) => note(exchangeLine(exchange))} : {}),
  })
  await using bundle = await openBoth(settings, {
    registry,
    interruption,
    state,
    onNote: note,
  })
  if (verbose) note(await decodersLine())
  try {
    const result = await push({
      ...settings,
      source: bundle,
      sink: registry,
      layers: state?.layers,
      onEvent,
      onStart: () => (run.sending = true),
      signal: interruption.now,
      drain: interruption.drain,
    })
    const {requests, retries} = registry.usage
    const {decoded, scratchPeak} = bundle.usage
    return makeReport(
      {
        command: 'push',
        source: settings.source,
        target: settings.target,
        startedAt,
        finishedAt: new Date(),
        blobs: result.blobs,
        bytes: {...result.bytes, decoded, scratchPeak},
        requests,
        retries,
      },
      result.images,
    )
  } finally {
    await state?.hosts.save(registryName, lasting(registry.knowledge))
  }
}

/** Reads the bundle while the registry is greeted; whichever fails first ends both. */
const openBoth = async (
  settings: PushSettings,
  {
    registry,
    interruption,
    state,
    onNote,
  }: {
    registry: Registry
    interruption: Interruption
    state: State | undefined
    onNote: (text: string) => void
  },
): Promise<BundleSource> => {
  const both = new AbortController()
  const signal = AbortSignal.any([both.signal, interruption.drain])
  setMaxListeners(0, signal)
  const opening = openBundle(settings.source, {
    layerCompression: settings.layerCompression,
    scratch: settings.scratch,
    stdin: process.stdin,
    signal,
    indexCache: state?.indexes,
    onNote,
  })
  const greeting = registry.ping({signal})
  try {
    const [bundle] = await Promise.all([opening, greeting])
    return bundle
  } catch (error) {
    both.abort(error)
    const [opened] = await Promise.allSettled([opening, greeting])
    if (opened.status === 'fulfilled') await opened.value[Symbol.asyncDispose]()
    throw interruption.drain.aborted && !isMirrorError(error) ? cancelled(interruption.drain) : error
  }
}

/** What is true of the host tomorrow, too: refused mounts depend on the credential and on the repositories. */
const lasting = ({mountsRefused: _ofThisRun, ...knowledge}: HostKnowledge): object => knowledge

const writeOutputs = async ({output, dryRun}: PushSettings, report: Report): Promise<void> => {
  if (output.report !== undefined) await writeReport(output.report, report)
  if (output.failed !== undefined) await writeFailed(output.failed, report)
  if (output.json) process.stdout.write(formatReport(report))
  else if (dryRun && !output.quiet) process.stdout.write(formatPlan(report))
}

const decodersLine = async (): Promise<string> => {
  const {xz, zstd} = await decoders()
  return `decoders: xz by ${xz}, zstd by ${zstd}`
}

const exchangeLine = ({method, url, status, milliseconds, error}: Exchange): string =>
  `${method} ${url} ${status ?? '-'} ${Math.round(milliseconds)} ms${error === undefined ? '' : ` ${error}`}`
