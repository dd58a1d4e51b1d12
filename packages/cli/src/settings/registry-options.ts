import type {RegistryOptions} from '@airgap-mirror/oci-client'
import {limits, MirrorError, type Side} from '@airgap-mirror/oci-client/model'
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
    readPem(settings.cacert, {flag: `--${prefix}cacert`, binary: 'convert-der'}),
    extraRoots(),
    readPem(settings.clientCert, {flag: `--${prefix}client-cert`, binary: 'convert-pkcs12'}),
    readPem(settings.clientKey, {flag: `--${prefix}client-key`, binary: 'convert-pkcs12'}),
  ])
  const {plainHttp = false, insecureSkipTlsVerify = false, limitRate} = settings
  return {
    side,
    userAgent: `mirror/${VERSION}`,
    plainHttp,
    tls: {
      ca: cacert === undefined ? undefined : [cacert],
      extraCa,
      ...(clientCert === undefined || clientKey === undefined ? undefined : {clientCert, clientKey}),
      insecureSkipVerify: insecureSkipTlsVerify,
    },
    proxy: proxyFrom(environment(), settings),
    chunkSize: settings.chunkSize ?? defaults.chunkSize,
    concurrency: settings.concurrency ?? defaults.concurrency,
    limitRate,
    retries: settings.retries ?? defaults.retries,
    retryMaxWait: settings.retryMaxWait ?? parseDuration(defaults.retryMaxWait),
  }
}

async function readPem(
  path: string | undefined,
  {flag, binary}: {readonly flag: string; readonly binary: 'convert-der' | 'convert-pkcs12'},
): Promise<string | undefined> {
  if (path === undefined) return undefined
  const text = await readTextFile(path, {
    flag,
    limit: limits.certificateBytes,
    code: 'CERTIFICATE_INVALID',
    isLenient: true,
  })
  if (text.includes('-----BEGIN ')) return text
  const found = text === '' ? 'is empty' : 'is not PEM'
  throw new MirrorError('CERTIFICATE_INVALID', `${flag} ${path} ${found}`, {
    advice: {kind: text.startsWith('0') && text.includes('\ufffd') ? binary : 'use-pem'},
  })
}

/** Node adds this file to the roots a program names only from 22.15 on; of one it cannot read it has warned already. */
function extraRoots(): Promise<string | undefined> {
  const path = environment()['NODE_EXTRA_CA_CERTS'] || undefined
  return readPem(path, {flag: 'NODE_EXTRA_CA_CERTS', binary: 'convert-der'}).catch(() => undefined)
}
