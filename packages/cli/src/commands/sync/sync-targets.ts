import type {Registry} from '@airgap-mirror/oci-client'
import type {SyncRegistry, SyncTarget} from '../../engine/sync/sync-target.js'
import type {KnownTags} from '../../engine/known-tags.js'
import {namingFor} from '../../job/job-targets.js'
import type {JobTarget, WantedImage} from '../../job/job.js'
import {defaults} from '../../settings/defaults.js'
import {readMapFile} from '../../settings/naming-settings.js'
import {overriding} from '../../settings/registry-settings.js'
import type {SyncSettings} from './sync-settings.js'
import {openTarget} from '../../run/open-target.js'
import type {Run} from '../../run/run.js'
import {refuseSharedLogin} from '../../run/shared-login.js'

/** The registries of a sync's targets, each connected to once, until the run ends. */
export interface SyncTargets {
  /** @throws {MirrorError} LIST_INVALID */
  targetFor(target: JobTarget, images: readonly WantedImage[]): Promise<Omit<SyncTarget, 'owner'>>
  /** By `host[:port]`. */
  readonly registries: ReadonlyMap<string, SyncRegistry>
}

export interface SyncTargetsOptions {
  readonly run: Run
  /** Resolves to true if this run still holds the registry's lock. Without it, no state is saved. */
  readonly isHeld: (registry: string) => Promise<boolean>
}

/**
 * Connects to nothing yet.
 * @throws {MirrorError} USAGE, CERTIFICATE_INVALID, CREDENTIALS_INVALID, AUTH_REQUIRED
 */
export async function openSyncTargets(
  settings: SyncSettings,
  options: SyncTargetsOptions,
): Promise<SyncTargets> {
  const {run, isHeld} = options
  const hosts = targetHosts(settings)
  refuseSharedLogin(hosts, settings.targetFlags, '--username')
  const registries = new Map<string, SyncRegistry & {readonly sink: Registry}>()
  for (const host of hosts) {
    const sink = await connect(host, {settings, run})
    const tags = await run.state?.tags(host)
    registries.set(host, {
      sink,
      tags: tags === undefined ? undefined : savedWhile(() => isHeld(host), tags),
      removeTag: (reference, call) => sink.deleteTag(reference, call),
    })
  }
  return {
    registries,
    targetFor: async (target, images) => {
      const registry = registries.get(target.registry)
      if (registry === undefined) throw new Error(`${target.registry} is not a target of any job`)
      const rules = namingFor(target, {images, mapFile: await readMapFile(target.naming.mapFile)})
      return {sink: registry.sink, tags: registry.tags, rules}
    },
  }
}

/** The registries of all targets. */
export function targetHosts({jobs}: Pick<SyncSettings, 'jobs'>): ReadonlySet<string> {
  return new Set(jobs.flatMap(({targets}) => targets.map(({registry}) => registry)))
}

function savedWhile(isHeld: () => Promise<boolean>, tags: KnownTags): KnownTags {
  return {
    ...tags,
    save: async () => ((await isHeld()) ? tags.save() : 'lost'),
  }
}

async function connect(
  registry: string,
  {settings, run}: {readonly settings: SyncSettings; readonly run: Run},
): Promise<Registry> {
  const own = overriding(settings.targetFlags, settings.registries.get(registry))
  return openTarget(run, {
    registry,
    settings: own,
    origin: settings.targetFlags.username === undefined ? 'the job file' : undefined,
    // Small blobs and questions: the engine has twice as many of them in flight as large blobs.
    concurrency: 2 * (own.concurrency ?? defaults.concurrency),
  })
}
