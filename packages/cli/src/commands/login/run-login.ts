import {openRegistry} from '@airgap-mirror/oci-client'
import {parseRegistryHost} from '../../names/registry-host.js'
import {noteLine} from '../../render/event-line.js'
import {connectionTo} from '../../run/connection.js'
import {placeOfLogin} from '../../run/kept-login.js'
import {keepLogin, loginFile} from '../../run/login-file.js'
import {runAsking} from '../../run/run-asking.js'
import type {FlagValues} from '../../settings/flag-values.js'
import {passwordWarnings, readRegistryFlags} from '../../settings/registry-settings.js'
import {loginCredential} from './login-credential.js'

/**
 * Checks a login at a registry, and keeps it. One that the registry refuses is not kept.
 * @throws {MirrorError} USAGE, CREDENTIALS_INVALID, AUTH_FAILED, WRITE_FAILED, CANCELLED, and what reaching the registry throws
 */
export async function runLogin(host: string, flags: FlagValues): Promise<void> {
  const registry = parseRegistryHost(host)
  const {dockerConfig, ...settings} = await readRegistryFlags(flags, 'target')
  await runAsking(async (run) => {
    const {soon: signal} = run.stop
    for (const text of passwordWarnings(flags)) run.warn(text)
    const {provider, current, isAsked} = await loginCredential(settings, {registry, signal})
    const {username: _username, password: _password, ...connection} = settings
    const options = await connectionTo(registry, {settings: connection, side: 'target', run})
    await using target = openRegistry({...options, credentials: provider})
    await target.ping({signal})
    const login = {registry, ...current()}
    if (!isAsked()) run.warn(`${registry} asks for no credential, so the password could not be checked`)
    const path = loginFile(dockerConfig)
    const place = await keepLogin(path, login, {signal})
    process.stderr.write(
      noteLine(`logged in to ${registry} as ${login.username}, and kept the login in ${place}`),
    )
    if (dockerConfig !== undefined) return
    const used = await placeOfLogin(registry, {signal})
    if (used !== undefined && !used.includes(path))
      run.warn(`commands use the login in ${used}, which comes before ${path}`)
  })
}
