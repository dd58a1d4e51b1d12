import {openRegistrySource, type RegistrySource} from '@airgap-mirror/oci-client'
import type {Reference} from '@airgap-mirror/oci-client/model'
import type {SourceMirrors} from '../job/source-mirrors.js'
import type {RegistrySettings} from '../job/job.js'
import type {Run} from './run.js'
import {refuseSharedLogin} from './shared-login.js'
import {sourceRegistries} from './source-registries.js'

export interface OpenSourceOptions {
  /** The places that images will be asked for, at least: their registries are known then. */
  readonly repositories: readonly Pick<Reference, 'registry' | 'repository'>[]
  /** The flags, for all of their registries. */
  readonly settings: RegistrySettings
  /** The job file's settings by host. Flags take precedence. */
  readonly registries?: ReadonlyMap<string, RegistrySettings>
  readonly mirrors: SourceMirrors | undefined
  /** True if referrers may be asked for. */
  readonly referrers: boolean
}

/**
 * The registries that images come from, as one source, until the run ends. Nothing is sent yet.
 * @throws {MirrorError} USAGE, DENIED if a file of mirrors blocks a repository, CERTIFICATE_INVALID, CREDENTIALS_INVALID,
 * AUTH_REQUIRED, LIMIT_EXCEEDED
 */
export async function openSource(
  run: Run,
  {repositories, settings, registries: known, mirrors, referrers}: OpenSourceOptions,
): Promise<RegistrySource> {
  const registries = await sourceRegistries(
    repositories.map(({registry, repository}) => ({registry, repository})),
    {settings, registries: known, mirrors, run},
  )
  refuseSharedLogin(new Set(registries.keys()), settings, '--source-username')
  const source = openRegistrySource({
    references: [],
    registryFor: (host) => {
      const options = registries.get(host)
      if (options === undefined) throw new Error(`${host} was not among the registries of any repository`)
      return options
    },
    referrers,
    mirrors:
      mirrors === undefined ? undefined : (name) => mirrors.mirrorsFor(name).map(({reference}) => reference),
  })
  return run.keep(source, () => {
    const {requests, retries, downloaded} = source.usage
    return {requests, retries, bytes: {downloaded}}
  })
}
