import {setMaxListeners} from 'node:events'
import {decoders, LAYER_FORMAT, openBundle, type BundleSource} from '@airgap-mirror/bundle'
import {openRegistry, type Registry} from '@airgap-mirror/oci-client'
import {cancelled, isMirrorError} from '@airgap-mirror/oci-client/model'
import {push} from '../engine/push.js'
import type {ExitCode} from '../report/exit-code.js'
import {makeReport, type Report} from '../report/report.js'
import {openCredentials} from '../settings/credentials.js'
import {pushFlags} from '../settings/flags.js'
import {flagReader, type FlagValues} from '../settings/flag-values.js'
import {readOutputFlags} from '../settings/output-settings.js'
import {readPushSettings, type PushSettings} from '../settings/push-settings.js'
import {passwordWarnings} from '../settings/registry-settings.js'
import {lastingKnowledge} from './lasting-knowledge.js'
import {openState, type State} from '../state/open-state.js'
import {listening, runCommand, type Run} from './run-command.js'

/** Runs a push to its exit code: opens both sides, calls the engine, writes what was asked for. */
export async function runPush(flags: FlagValues): Promise<ExitCode> {
  const read = flagReader(flags)
  const figures = {source: read.text('source') ?? '', target: read.text('private-registry') ?? ''}
  const options = {
    command: 'push',
    flagTable: pushFlags,
    ...figures,
    output: readOutputFlags(read),
    dryRun: read.on('dry-run'),
  }
  return runCommand(options, async (run) => {
    const settings = await readPushSettings(flags)
    for (const text of passwordWarnings(flags)) run.warn(text)
    return pushAndReport(settings, run)
  })
}

async function pushAndReport(settings: PushSettings, run: Run): Promise<Report> {
  const {registry: name} = settings.rules
  const {interruption, note, warn, renderer} = run
  const credentials = await openCredentials(settings.registrySettings, {
    registry: name,
    side: 'target',
    suspend: () => renderer.suspend(),
  })
  const startedAt = new Date()
  if (settings.registry.tls?.insecureSkipVerify === true) warn(`the certificate of ${name} is not checked`)
  const state = await openState({directory: settings.state, layerFormat: LAYER_FORMAT, onNote: note})
  await using registry = openRegistry({
    ...settings.registry,
    ...listening(run, settings.output),
    knowledge: await state?.hosts.load(name),
    journal: state?.uploads(name),
    ...(credentials === undefined ? {} : {credentials}),
  })
  await using bundle = await openBoth(settings, {registry, run, state})
  if (settings.output.verbose) note(await decodersLine())
  try {
    const result = await push({
      ...settings,
      source: bundle,
      sink: registry,
      layers: state?.layers,
      onEvent: renderer.onEvent,
      onStart: run.onStart,
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
        dryRun: settings.dryRun,
        blobs: result.blobs,
        bytes: {...result.bytes, decoded, scratchPeak},
        requests,
        retries,
      },
      result.images,
    )
  } finally {
    await state?.hosts.save(name, lastingKnowledge(registry.knowledge))
  }
}

/** Reads the bundle while the registry is greeted; whichever fails first ends both. */
async function openBoth(
  settings: PushSettings,
  {registry, run, state}: {registry: Registry; run: Run; state: State | undefined},
): Promise<BundleSource> {
  const {drain} = run.interruption
  const both = new AbortController()
  const signal = AbortSignal.any([both.signal, drain])
  setMaxListeners(0, signal)
  const opening = openBundle(settings.source, {
    layerCompression: settings.layerCompression,
    scratch: settings.scratch,
    stdin: process.stdin,
    signal,
    indexCache: state?.indexes,
    onNote: run.note,
  })
  const greeting = registry.ping({signal})
  try {
    const [bundle] = await Promise.all([opening, greeting])
    return bundle
  } catch (error) {
    both.abort(error)
    const [opened] = await Promise.allSettled([opening, greeting])
    if (opened.status === 'fulfilled') await opened.value[Symbol.asyncDispose]()
    throw drain.aborted && !isMirrorError(error) ? cancelled(drain) : error
  }
}

async function decodersLine(): Promise<string> {
  const {xz, zstd} = await decoders()
  return `decoders: xz by ${xz}, zstd by ${zstd}`
}
