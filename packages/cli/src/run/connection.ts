import type {Exchange, RegistryOptions} from '@airgap-mirror/oci-client'
import type {Side} from '@airgap-mirror/oci-client/model'
import type {RegistrySettings} from '../job/job.js'
import {openCredentials} from './credentials.js'
import {environment, home} from '../settings/environment.js'
import {connectionOptions, type ConnectionOptions} from '../settings/registry-options.js'
import {certificateRoots, hostCertificates, machineCertificates} from './machine-certificates.js'
import type {Run} from './run.js'

export interface ConnectionSettings {
  /** The registry's settings, from flags and files together. */
  readonly settings: RegistrySettings
  readonly side: Side
  /** The origin of a login among them, for messages; absent: the flag. */
  readonly origin?: string
  readonly run: Run
}

/**
 * Returns the options to connect to a registry, with callbacks to the run.
 * @param registry `host[:port]`
 * @throws {MirrorError} CERTIFICATE_INVALID, CREDENTIALS_INVALID, AUTH_REQUIRED, LIMIT_EXCEEDED
 */
export async function connectionTo(
  registry: string,
  {settings, side, origin, run}: ConnectionSettings,
): Promise<RegistryOptions> {
  const connection = await withMachineCertificates(await connectionOptions(settings, side), {registry, run})
  if (connection.tls?.insecureSkipVerify === true) run.warn(`the certificate of ${registry} is not checked`)
  const credentials = await openCredentials(settings, {
    registry,
    side,
    origin,
    suspend: () => run.renderer.suspend(),
    signal: run.stop.soon,
  })
  return {
    ...connection,
    ...listening(run),
    registry,
    credentials,
  }
}

/** Adds what the machine is set up with for the registry; flags and job files win. */
async function withMachineCertificates(
  connection: ConnectionOptions,
  {registry, run}: {readonly registry: string; readonly run: Run},
): Promise<ConnectionOptions> {
  if (connection.plainHttp === true) return connection
  const {tls = {}} = connection
  const [host, machine] = await Promise.all([
    hostCertificates(registry, {
      roots: certificateRoots(home()),
      wantsIdentity: tls.clientCert === undefined,
    }),
    machineCertificates(environment()),
  ])
  for (const problem of [...host.problems, ...machine.problems]) run.warn(problem)
  const used = [...host.used, ...machine.used]
  if (used.length > 0 && run.output.verbose) run.note(`certificates for ${registry}: ${used.join(', ')}`)
  const extraCa = [tls.extraCa, machine.extraCa].filter((pem) => pem !== undefined && pem !== '').join('\n')
  return {
    ...connection,
    tls: {...tls, hostCa: host.hostCa, extraCa: extraCa === '' ? undefined : extraCa, ...host.identity},
  }
}

/** Callbacks that report a connection's warnings, retries and requests to the run. */
function listening({
  renderer,
  output,
  warn,
  note,
}: Run): Pick<RegistryOptions, 'onWarning' | 'onRetry' | 'onExchange'> {
  return {
    onWarning: warn,
    onRetry: (retry) => renderer.onEvent({type: 'retry', ...retry}),
    onExchange: output.verbose ? (exchange: Exchange) => note(exchangeLine(exchange)) : undefined,
  }
}

function exchangeLine({method, url, status, milliseconds, error}: Exchange): string {
  return `${method} ${url} ${status ?? '-'} ${Math.round(milliseconds)} ms${error === undefined ? '' : ` ${error}`}`
}
