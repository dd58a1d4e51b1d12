import {setMaxListeners} from 'node:events'
import {type BundleSource} from '@airgap-mirror/bundle'
import {decoders, LAYER_FORMAT} from '@airgap-mirror/bundle/internal'
import type {Registry} from '@airgap-mirror/oci-client'
import {cancelled, isMirrorError} from '@airgap-mirror/oci-client/model'
import {mirror} from '../../engine/mirror.js'
import {refuseLacking} from '../../engine/refuse-lacking.js'
import {sourcePairs} from '../../engine/source-pairs.js'
import type {ExitCode} from '../../report/exit-code.js'
import type {Unused} from '../../names/unused.js'
import {openBundleSource, readToEnd} from '../../run/open-bundle-source.js'
import {openTarget} from '../../run/open-target.js'
import {runCommand} from '../../run/run-command.js'
import type {Work} from '../../run/work.js'
import type {Run} from '../../run/run.js'
import type {FlagValues} from '../../settings/flag-values.js'
import {pushFlags} from './push-flags.js'
import {flagReader} from '../../settings/flag-values.js'
import {readPushSettings, type PushSettings} from './push-settings.js'

/** Runs a push to its exit code. */
export function runPush(flags: FlagValues): Promise<ExitCode> {
  const {text} = flagReader(flags)
  return runCommand({
    command: {name: 'push', flags: pushFlags},
    flags,
    given: {source: text('source') ?? '', target: text('private-registry') ?? ''},
    read: readPushSettings,
    remembers: {layerFormat: LAYER_FORMAT, told: 'note'},
    bundles: ({source}) => [source],
    work: pushBundle,
  })
}

async function pushBundle(settings: PushSettings, run: Run): Promise<Work> {
  const {registry: name} = settings.rules
  const registry = await openTarget(run, {registry: name, settings: settings.registrySettings})
  const bundle = await openBoth(settings, {registry, run})
  if (run.output.verbose) run.note(await decodersLine())
  const {soon: signal} = run.stop
  const pairs = await sourcePairs(bundle, {
    ...settings,
    onUnused: warnOfUnused(run),
    onWarning: run.warn,
    signal,
  })
  const {leftOut} = bundle.description
  await refuseLacking(pairs, {leftOut, sink: registry, concurrency: settings.concurrency, signal})
  const result = await mirror([{sink: registry, registry: name, pairs}], {
    source: bundle,
    sparse: settings.sparse,
    proof: settings.proof,
    concurrency: settings.concurrency,
    failFast: settings.failFast,
    dryRun: run.dryRun,
    layers: run.state?.layers,
    onEvent: run.renderer.onEvent,
    onStart: run.onStart,
    stop: run.stop,
  })
  await readToEnd(bundle, run)
  return result
}

function warnOfUnused({warn}: Run): (unused: Unused) => void {
  return ({include, rewrites, map}) => {
    for (const glob of include) warn(`--include ${glob} matches no image of the bundle`)
    for (const rule of rewrites) warn(`--rewrite ${rule} changes the name of no image of the bundle`)
    for (const source of map) warn(`--map names ${source}, which the bundle does not have`)
  }
}

/** Reads the bundle while the registry is greeted; the first failure ends both. */
async function openBoth(
  {source: path, layerCompression, scratch, onePass, verifyKey}: PushSettings,
  {registry, run}: {readonly registry: Registry; readonly run: Run},
): Promise<BundleSource> {
  const {soon} = run.stop
  const both = new AbortController()
  const signal = AbortSignal.any([both.signal, soon])
  setMaxListeners(0, signal)
  const opening = openBundleSource(run, {path, layerCompression, scratch, onePass, verifyKey, signal})
  const greeting = registry.ping({signal})
  try {
    const [bundle] = await Promise.all([opening, greeting])
    return bundle
  } catch (error) {
    both.abort(error)
    await Promise.allSettled([opening, greeting])
    throw soon.aborted && !isMirrorError(error) ? cancelled(soon) : error
  }
}

async function decodersLine(): Promise<string> {
  const {xz, zstd, passedOver} = await decoders()
  return [`decoders: xz by ${xz}, zstd by ${zstd}`, ...passedOver].join('; ')
}
