import {openRegistry, type Registry} from '@airgap-mirror/oci-client'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import type {SyncTarget} from '../engine/sync/sync-target.js'
import {namingFor} from '../job/job-targets.js'
import type {JobTarget, WantedImage} from '../job/job.js'
import {openCredentials} from '../settings/credentials.js'
import {defaults} from '../settings/defaults.js'
import {readMapFile} from '../settings/naming-settings.js'
import {connectionOptions} from '../settings/registry-options.js'
import {overriding} from '../settings/registry-settings.js'
import type {SyncSettings} from '../settings/sync-settings.js'
import type {State} from '../state/open-state.js'
import {lastingKnowledge} from './lasting-knowledge.js'
import {listening, type Run} from './run-command.js'

/** The registries of a sync's targets, each connected to once. */
export interface SyncTargets extends AsyncDisposable {
  /** @throws {MirrorError} LIST_INVALID */
  targetFor(target: JobTarget, images: readonly WantedImage[]): Promise<SyncTarget>
  readonly usage: {readonly requests: number; readonly retries: number}
}

export interface SyncTargetsOptions {
  readonly run: Run
  readonly state: State | undefined
}

/**
 * Connects to nothing yet.
 * @throws {MirrorError} USAGE, CERTIFICATE_INVALID, CREDENTIALS_INVALID, AUTH_REQUIRED
 */
export const openSyncTargets = async (
  settings: SyncSettings,
  {run, state}: SyncTargetsOptions,
): Promise<SyncTargets> => {
  const hosts = new Set(settings.jobs.flatMap(({targets}) => targets.map(({registry}) => registry)))
  refuseSharedLogin(hosts, settings.targetFlags, '--username')
  const registries = new Map<string, Registry>()
  for (const host of hosts) registries.set(host, await connect(host, {settings, run, state}))
  return {
    targetFor: async (target, images) => {
      const sink = registries.get(target.registry)
      if (sink === undefined) throw new Error(`${target.registry} is no target of any job`)
      const rules = namingFor(target, {images, mapFile: await readMapFile(target.naming.mapFile)})
      return {
        sink,
        rules,
        tags: await state?.tags(keyOf(target)),
        removeTag: (reference, options) => sink.deleteTag(reference, options),
      }
    },
    get usage() {
      const usage = {requests: 0, retries: 0}
      for (const {usage: own} of registries.values()) {
        usage.requests += own.requests
        usage.retries += own.retries
      }
      return usage
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(
        [...registries].map(async ([host, registry]) => {
          await state?.hosts.save(host, lastingKnowledge(registry.knowledge))
          await registry[Symbol.asyncDispose]()
        }),
      )
    },
  }
}

/** Under which a target's lock is held and its tags are remembered. */
export const keyOf = ({registry, namespace}: Pick<JobTarget, 'registry' | 'namespace'>): string =>
  [registry, namespace].filter(Boolean).join('/')

/**
 * A login that a flag gives goes to one registry, since it is that one's secret.
 * @throws {MirrorError} USAGE
 */
export const refuseSharedLogin = (
  hosts: ReadonlySet<string>,
  settings: {readonly username?: string},
  flag: string,
): void => {
  if (settings.username === undefined || hosts.size < 2) return
  throw new MirrorError(
    'USAGE',
    `${flag} gives one login, and there are ${hosts.size} registries: ${[...hosts].join(', ')}`,
    {
      hint: 'Give logins in a Docker config file or, for each registry, in a job file.',
    },
  )
}

const connect = async (
  registry: string,
  {settings, run, state}: SyncTargetsOptions & {readonly settings: SyncSettings},
): Promise<Registry> => {
  const own = overriding(settings.targetFlags, settings.registries.get(registry))
  const connection = await connectionOptions(own, 'target')
  if (connection.tls?.insecureSkipVerify === true) run.warn(`the certificate of ${registry} is not checked`)
  const credentials = await openCredentials(own, {
    registry,
    side: 'target',
    suspend: () => run.renderer.suspend(),
    signal: run.interruption.drain,
  })
  return openRegistry({
    ...connection,
    // Small blobs and questions: the engine has twice as many of them in flight as large blobs.
    concurrency: 2 * (own.concurrency ?? defaults.concurrency),
    ...listening(run, settings.output),
    registry,
    knowledge: await state?.hosts.load(registry),
    journal: state?.uploads(registry),
    ...(credentials === undefined ? {} : {credentials}),
  })
}
