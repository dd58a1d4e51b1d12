import {parseRegistryHost} from '../../names/registry-host.js'
import {noteLine} from '../../render/event-line.js'
import {placeOfLogin} from '../../run/kept-login.js'
import {loginFile, removeLogin} from '../../run/login-file.js'
import {runAsking} from '../../run/run-asking.js'
import {flagReader, type FlagValues} from '../../settings/flag-values.js'

/**
 * Removes the login of a registry. Without one there is nothing to do, which is no failure.
 * @throws {MirrorError} USAGE, CREDENTIALS_INVALID, WRITE_FAILED, CANCELLED
 */
export async function runLogout(host: string, flags: FlagValues): Promise<void> {
  const registry = parseRegistryHost(host)
  const named = flagReader(flags).text('docker-config')
  await runAsking(async (run) => {
    const {soon: signal} = run.stop
    const path = loginFile(named)
    const isRemoved = await removeLogin(path, registry, {signal})
    const told = isRemoved
      ? `removed the login for ${registry} from ${path}`
      : `${path} has no login for ${registry}`
    process.stderr.write(noteLine(told))
    const left = named === undefined ? await placeOfLogin(registry, {signal}) : undefined
    if (left !== undefined) run.warn(`${left} still has a login for ${registry}, which commands use`)
  })
}
