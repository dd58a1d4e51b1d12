import type {RegistryOptions} from '@airgap-mirror/oci-client'
import {limits, type Side} from '@airgap-mirror/oci-client/model'
import type {RegistrySettings} from '../job/job.js'
import {parseDuration} from '../text/parse-quantity.js'
import {VERSION} from '../text/version.js'
import {defaults} from './defaults.js'
import {environment, proxyFrom} from './environment.js'
import {readTextFile} from '../files/read-file.js'
import {prefixOf} from './registry-settings.js'

/** Options to connect to a registry, without its name and the credential. */
export type ConnectionOptions = Omit<RegistryOptions, 'credentials' | 'registry'>

/**
 * Settings with their defaults, and the files they name.
 * @throws {MirrorError} CERTIFICATE_INVALID, LIMIT_EXCEEDED
 */
export async function connectionOptions(settings: RegistrySettings, side: Side): Promise<ConnectionOptions> {
  const prefix = prefixOf(side)
  const [cacert, extraCa, clientCert, clientKey] = await Promise.all([
    readPem(settings.cacert, `--${prefix}cacert`),
    extraRoots(),
    readPem(settings.clientCert, `--${prefix}client-cert`),
    readPem(settings.clientKey, `--${prefix}client-key`),
  ])
  const {plainHttp = false, insecureSkipTlsVerify = false, limitRate} = settings
  return {
    side,
    userAgent: `mirror/${VERSION}`,
    plainHttp,
    tls: {
      ...(cacert === undefined ? {} : {ca: [cacert]}),
      ...(extraCa === undefined ? {} : {extraCa}),
      ...(clientCert === undefined || clientKey === undefined ? {} : {clientCert, clientKey}),
      insecureSkipVerify: insecureSkipTlsVerify,
    },
    proxy: proxyFrom(environment(), settings),
    chunkSize: settings.chunkSize ?? defaults.chunkSize,
    concurrency: settings.concurrency ?? defaults.concurrency,
    ...(limitRate === undefined ? {} : {limitRate}),
    retries: settings.retries ?? defaults.retries,
    retryMaxWait: settings.retryMaxWait ?? parseDuration(defaults.retryMaxWait),
  }
}

async function readPem(path: string | undefined, flag: string): Promise<string | undefined> {
  return path === undefined
    ? undefined
    : readTextFile(path, {flag, limit: limits.certificateBytes, code: 'CERTIFICATE_INVALID'})
}

/** Node adds this file to the roots a program names only from 22.15 on; of one it cannot read it has warned already. */
function extraRoots(): Promise<string | undefined> {
  return readPem(environment()['NODE_EXTRA_CA_CERTS'] || undefined, 'NODE_EXTRA_CA_CERTS').catch(
    () => undefined,
  )
}
