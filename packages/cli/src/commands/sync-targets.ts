import {openRegistry, type Registry} from '@airgap-mirror/oci-client'
import {MirrorError, type RequestUsage} from '@airgap-mirror/oci-client/model'
import type {SyncRegistry, SyncTarget} from '../engine/sync/sync-target.js'
import type {KnownTags} from '../engine/known-tags.js'
import {namingFor} from '../job/job-targets.js'
import type {JobTarget, WantedImage} from '../job/job.js'
import {defaults} from '../settings/defaults.js'
import {readMapFile} from '../settings/naming-settings.js'
import {overriding} from '../settings/registry-settings.js'
import type {SyncSettings} from '../settings/sync-settings.js'
import type {State} from '../state/open-state.js'
import {connectionTo} from './connection.js'
import {lastingKnowledge} from './lasting-knowledge.js'
import type {Run} from './run-command.js'

/** The registries of a sync's targets, each connected to once. */
export interface SyncTargets extends AsyncDisposable {
  /** @throws {MirrorError} LIST_INVALID */
  targetFor(target: JobTarget, images: readonly WantedImage[]): Promise<Omit<SyncTarget, 'owner'>>
  /** By `host[:port]`. */
  readonly registries: ReadonlyMap<string, SyncRegistry>
  readonly usage: RequestUsage
}

export interface SyncTargetsOptions {
  readonly run: Run
  readonly state: State | undefined
  /** Whether a registry's lock is ours still; what others may have changed is not written over. */
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
  const {state, isHeld} = options
  const hosts = targetHosts(settings)
  refuseSharedLogin(hosts, settings.targetFlags, '--username')
  const registries = new Map<string, SyncRegistry & {readonly sink: Registry}>()
  for (const host of hosts) {
    const sink = await connect(host, {settings, ...options})
    const tags = await state?.tags(host)
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
      if (registry === undefined) throw new Error(`${target.registry} is no target of any job`)
      const rules = namingFor(target, {images, mapFile: await readMapFile(target.naming.mapFile)})
      return {sink: registry.sink, tags: registry.tags, rules}
    },
    get usage() {
      const usage = {requests: 0, retries: 0}
      for (const {
        sink: {usage: own},
      } of registries.values()) {
        usage.requests += own.requests
        usage.retries += own.retries
      }
      return usage
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        [...registries].map(async ([host, {sink}]) => {
          await state?.hosts.save(host, lastingKnowledge(sink.knowledge))
          await sink[Symbol.asyncDispose]()
        }),
      )
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

/**
 * A login that a flag gives goes to one registry, since it is that one's secret.
 * @throws {MirrorError} USAGE
 */
export function refuseSharedLogin(
  hosts: ReadonlySet<string>,
  settings: {readonly username?: string},
  flag: string,
): void {
  if (settings.username === undefined || hosts.size < 2) return
  throw new MirrorError(
    'USAGE',
    `${flag} gives one login, and there are ${hosts.size} registries: ${[...hosts].join(', ')}`,
    {
      hint: 'Give logins in a Docker config file or, for each registry, in a job file.',
    },
  )
}

async function connect(
  registry: string,
  {settings, run, state}: Pick<SyncTargetsOptions, 'run' | 'state'> & {readonly settings: SyncSettings},
): Promise<Registry> {
  const own = overriding(settings.targetFlags, settings.registries.get(registry))
  const connection = await connectionTo(registry, {
    settings: own,
    side: 'target',
    origin: settings.targetFlags.username === undefined ? 'the job file' : undefined,
    output: settings.output,
    run,
  })
  return openRegistry({
    ...connection,
    // Small blobs and questions: the engine has twice as many of them in flight as large blobs.
    concurrency: 2 * (own.concurrency ?? defaults.concurrency),
    knowledge: await state?.hosts.load(registry),
    journal: state?.uploads(registry),
  })
}
