import type {Exchange, RegistryOptions} from '@airgap-mirror/oci-client'
import type {Side} from '@airgap-mirror/oci-client/model'
import type {RegistrySettings} from '../job/job.js'
import {openCredentials} from './credentials.js'
import {connectionOptions} from '../settings/registry-options.js'
import type {Run} from './run.js'

export interface ConnectionSettings {
  /** The registry's settings, from flags and files together. */
  readonly settings: RegistrySettings
  readonly side: Side
  /** Where a login among them is from, for messages; absent: the flag. */
  readonly origin?: string | undefined
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
  const connection = await connectionOptions(settings, side)
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
    ...(credentials === undefined ? {} : {credentials}),
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
    ...(output.verbose ? {onExchange: (exchange: Exchange) => note(exchangeLine(exchange))} : {}),
  }
}

function exchangeLine({method, url, status, milliseconds, error}: Exchange): string {
  return `${method} ${url} ${status ?? '-'} ${Math.round(milliseconds)} ms${error === undefined ? '' : ` ${error}`}`
}
