import {setMaxListeners} from 'node:events'
import type {Reference} from '@airgap-mirror/oci-client/model'
import {wantedBy} from '../../job/job-images.js'
import type {ExitCode} from '../../report/exit-code.js'
import type {ReportShard} from '../../report/report.js'
import {openSource} from '../../run/open-source.js'
import {runCommand} from '../../run/run-command.js'
import type {Work} from '../../run/work.js'
import type {Run} from '../../run/run.js'
import {writeLock} from '../../run/write-lock.js'
import {flagReader, type FlagValues} from '../../settings/flag-values.js'
import {syncFlags} from './sync-flags.js'
import {readSyncSettings, type SyncSettings} from './sync-settings.js'
import {runJobs} from './sync-jobs.js'
import {lockRegistries} from './sync-locks.js'
import {lockedImages} from './sync-lock-file.js'
import {ownShard} from './sync-shard.js'
import {openSyncTargets, targetHosts} from './sync-targets.js'

type Place = Pick<Reference, 'registry' | 'repository'>

/** No layer of a registry is plain, so none that was compressed here is remembered. */
const NO_LAYERS = 0

/** Runs a sync to its exit code: locks, opens both sides, and does one job after the other. */
export function runSync(flags: FlagValues): Promise<ExitCode> {
  const {text, list} = flagReader(flags)
  return runCommand({
    command: {name: 'sync', flags: syncFlags},
    flags,
    given: {
      source: text('config') ?? list('images').join(', '),
      target: text('private-registry') ?? '',
    },
    read: readSyncSettings,
    // A warning: without state nothing is pruned, no drift is seen, and no other run is kept out.
    remembers: {layerFormat: NO_LAYERS, told: 'warning'},
    work: syncJobs,
  })
}

function shardLine({index, count, by = 'images'}: ReportShard): string {
  return `this is shard ${index} of 0 to ${count - 1}, even by ${by === 'repository' ? 'repositories' : by}`
}

async function syncJobs(settings: SyncSettings, run: Run): Promise<Work> {
  const {jobs, sourceFlags, registries, mirrors, wait, lock} = settings
  const shard = settings.shard === undefined ? undefined : ownShard(jobs, settings.shard)
  if (shard !== undefined) run.note(shardLine(shard.figures))
  const locks = await lockRegistries(targetHosts(settings), {wait, run})
  const {isHeld} = locks
  const targets = await openSyncTargets(settings, {run, isHeld})
  const source = await openSource(run, {
    repositories: jobs.flatMap((job) => {
      const {images, listings} = wantedBy(job, job.listed)
      return images.map((image): Place => image.source).concat(listings)
    }),
    settings: sourceFlags,
    registries,
    mirrors,
    referrers: true,
  })
  const soon = AbortSignal.any([run.stop.soon, ...locks.signals])
  // One listener per transfer and request is expected: Node's warning about leaks is disabled.
  setMaxListeners(0, soon)
  const result = await runJobs({...settings, shard, source, targets, run, stop: {...run.stop, soon}, isHeld})
  if (lock !== undefined && !soon.aborted) {
    const locked = await lockedImages({...result, source, warn: run.warn, signal: soon})
    await writeLock(lock, locked)
  }
  return {...result, shard: shard?.figures}
}
