import {defined} from '@airgap-mirror/oci-client/model'
import type {RegistryOptions} from '@airgap-mirror/oci-client'
import type {Reference} from '@airgap-mirror/oci-client/model'
import type {RegistrySettings} from '../job/job.js'
import type {MirrorPlace, SourceMirrors} from '../job/source-mirrors.js'
import {overriding} from '../settings/registry-settings.js'
import {connectionTo} from './connection.js'
import type {Run} from './run.js'

export interface SourceRegistriesOptions {
  /** The flags, for all of them. */
  readonly settings: RegistrySettings
  /** The job file's settings by host. Flags take precedence. */
  readonly registries?: ReadonlyMap<string, RegistrySettings>
  readonly mirrors: SourceMirrors | undefined
  readonly run: Run
}

/**
 * Returns the settings of every registry that references are fetched from, by host.
 * @throws {MirrorError} DENIED if a file of mirrors blocks one, CERTIFICATE_INVALID, CREDENTIALS_INVALID, LIMIT_EXCEEDED
 */
export async function sourceRegistries(
  references: readonly Reference[],
  options: SourceRegistriesOptions,
): Promise<ReadonlyMap<string, RegistryOptions>> {
  const registries = new Map<string, RegistryOptions>()
  for (const place of references.flatMap((reference) => placesOf(reference, options.mirrors))) {
    const {registry} = place.reference
    if (!registries.has(registry)) registries.set(registry, await connect(place, options))
  }
  return registries
}

function placesOf(reference: Reference, mirrors: SourceMirrors | undefined): readonly MirrorPlace[] {
  const places = mirrors?.mirrorsFor(reference) ?? []
  return places.length === 0 ? [{reference}] : places
}

async function connect(
  {reference: {registry}, insecure, plainHttp}: MirrorPlace,
  {settings, registries, mirrors, run}: SourceRegistriesOptions,
): Promise<RegistryOptions> {
  const file = overriding(settings, registries?.get(registry))
  const own: RegistrySettings = {
    ...overriding(file, mirrors?.settingsFor(registry)),
    ...defined({insecureSkipTlsVerify: insecure || undefined, plainHttp: plainHttp || undefined}),
  }
  const origin =
    settings.username !== undefined
      ? undefined
      : file.username !== undefined
        ? 'the job file'
        : 'the file of --source-mirrors'
  return connectionTo(registry, {settings: own, side: 'source', origin, run})
}
