import {defined} from '@airgap-mirror/oci-client/model'
import {openRegistry, type HostKnowledge, type Registry} from '@airgap-mirror/oci-client'
import type {RegistrySettings} from '../job/job.js'
import {connectionTo} from './connection.js'
import type {Run} from './run.js'

export interface OpenTargetOptions {
  /** `host[:port]`, as names have it. */
  readonly registry: string
  readonly settings: RegistrySettings
  /** The origin of a login among them, for messages; absent: the flag. */
  readonly origin?: string
  /** Requests at once; absent: as the settings say. */
  readonly concurrency?: number
}

/**
 * Opens a registry as the target until the run ends, with earlier runs' knowledge of it and their begun uploads.
 * Nothing is sent yet.
 * @throws {MirrorError} CERTIFICATE_INVALID, CREDENTIALS_INVALID, AUTH_REQUIRED, LIMIT_EXCEEDED, CONFIG_INVALID
 */
export async function openTarget(
  run: Run,
  {registry: name, settings, origin, concurrency}: OpenTargetOptions,
): Promise<Registry> {
  const {state} = run
  const connection = await connectionTo(name, {settings, side: 'target', origin, run})
  const registry = openRegistry({
    ...connection,
    ...defined({concurrency}),
    knowledge: await state?.hosts.load(name),
    journal: state?.uploads(name),
  })
  const closing = {
    [Symbol.asyncDispose]: async () => {
      await state?.hosts.save(name, lastingKnowledge(registry.knowledge))
      await registry[Symbol.asyncDispose]()
    },
  }
  run.keep(closing, () => registry.usage)
  return registry
}

/** The knowledge that later runs may use. Refused mounts are left out: they depend on the login and the repositories. */
function lastingKnowledge({mountsRefused: _ofThisRun, ...knowledge}: HostKnowledge): object {
  return knowledge
}
