import {setMaxListeners} from 'node:events'
import {openRegistrySource, type RegistrySource} from '@airgap-mirror/oci-client'
import type {MirrorError, Reference} from '@airgap-mirror/oci-client/model'
import {wantedBy} from '../job/job-images.js'
import type {ExitCode} from '../report/exit-code.js'
import {reportErrorOf} from '../report/report-error.js'
import {makeReport, type Report, type ReportError} from '../report/report.js'
import {syncFlags} from '../settings/flags.js'
import {flagReader, type FlagValues} from '../settings/flag-values.js'
import {readOutputFlags} from '../settings/output-settings.js'
import {passwordWarnings} from '../settings/registry-settings.js'
import {readSyncSettings, type SyncSettings} from '../settings/sync-settings.js'
import {openState} from '../state/open-state.js'
import {runCommand, type Run} from './run-command.js'
import {sourceRegistries} from './source-registries.js'
import {runJobs} from './sync-jobs.js'
import {lockRegistries} from './sync-locks.js'
import {openSyncTargets, refuseSharedLogin, targetHosts} from './sync-targets.js'

/** No layer of a registry is plain, so none that was compressed here is remembered. */
const NO_LAYERS = 0

/** Runs a sync to its exit code: locks, opens both sides, and does one job after the other. */
export function runSync(flags: FlagValues): Promise<ExitCode> {
  const read = flagReader(flags)
  const options = {
    command: 'sync',
    flagTable: syncFlags,
    source: read.text('config') ?? read.list('images').join(', '),
    target: read.text('private-registry') ?? '',
    output: readOutputFlags(read),
    dryRun: read.on('dry-run'),
  }
  return runCommand(options, async (run) => {
    const settings = await readSyncSettings(flags)
    for (const text of passwordWarnings(flags)) run.warn(text)
    return syncAndReport(settings, run)
  })
}

async function syncAndReport(settings: SyncSettings, run: Run): Promise<Report> {
  const startedAt = new Date()
  // Without it nothing is pruned, no drift is seen and nobody is locked out: who runs it every night has to know.
  const state = await openState({directory: settings.state, layerFormat: NO_LAYERS, onNote: run.warn})
  const directory = state === undefined || settings.dryRun ? undefined : settings.state
  await using locks = await lockRegistries(targetHosts(settings), {directory, wait: settings.wait, run})
  const {isHeld} = locks
  await using targets = await openSyncTargets(settings, {run, state, isHeld})
  await using source = await openSource(settings, run)
  const {now, drain: asked} = run.interruption
  const drain = AbortSignal.any([asked, ...locks.signals])
  // every transfer and every request listens, and that is no leak
  setMaxListeners(0, drain)
  const {images, blobs, bytes, troubles} = await runJobs({
    ...settings,
    source,
    targets,
    run,
    signal: now,
    drain,
    isHeld,
  })
  const {requests, retries, downloaded} = source.usage
  return makeReport(
    {
      command: 'sync',
      source: settings.source,
      target: settings.target,
      startedAt,
      finishedAt: new Date(),
      dryRun: settings.dryRun,
      blobs,
      bytes: {...bytes, downloaded},
      requests: requests + targets.usage.requests,
      retries: retries + targets.usage.retries,
      error: asOne(troubles),
    },
    images,
  )
}

async function openSource(settings: SyncSettings, run: Run): Promise<RegistrySource> {
  const {sourceFlags, registries: known, mirrors, output} = settings
  const references = settings.jobs.flatMap((job): readonly Pick<Reference, 'registry' | 'repository'>[] => {
    const {images, listings} = wantedBy(job, job.listed)
    return [...images.map(({source}) => source), ...listings]
  })
  const registries = await sourceRegistries(
    references.map(({registry, repository}) => ({registry, repository})),
    {settings: sourceFlags, registries: known, mirrors, output, run},
  )
  refuseSharedLogin(new Set(registries.keys()), sourceFlags, '--source-username')
  return openRegistrySource({
    references: [],
    registryFor: (host) => {
      const options = registries.get(host)
      if (options === undefined) throw new Error(`${host} was not among the registries of any job`)
      return options
    },
    referrers: true,
    ...(mirrors === undefined
      ? {}
      : {mirrors: (name) => mirrors.mirrorsFor(name).map(({reference}) => reference)}),
  })
}

/** What went wrong besides single images. */
function asOne(troubles: readonly MirrorError[]): ReportError | undefined {
  const [first, ...others] = troubles.map((trouble) => reportErrorOf(trouble))
  if (first === undefined) return undefined
  return {...first, message: [first, ...others].map(({message}) => message).join('; ')}
}
