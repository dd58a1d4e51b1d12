import {limits, MirrorError, type Side, defined} from '@airgap-mirror/oci-client/model'
import type {RegistrySettings} from '../job/job.js'
import {parseDuration, parseRate, parseSize} from '../text/parse-quantity.js'
import {environment} from './environment.js'
import {flagReader, type FlagValues} from './flag-values.js'
import {readTextFile} from '../files/read-file.js'
import {registrySettings} from '../job/shared-settings.js'

/**
 * Reads the registry flags of one side. Settings without a flag are absent.
 * @throws {MirrorError} USAGE; CREDENTIALS_INVALID if a password cannot be read from standard input
 */
export async function readRegistryFlags(flags: FlagValues, side: Side): Promise<RegistrySettings> {
  const prefix = prefixOf(side)
  const {text, on, whole, parsed} = flagReader(flags, {prefix})
  const username = text('username')
  const password = on('password-stdin') ? await passwordFromStdin(prefix) : text('password')
  if (username === undefined && password !== undefined) {
    throw new MirrorError('USAGE', `a password is given without --${prefix}username`)
  }
  const need = text('need-credential')
  const dockerConfig = text('docker-config')
  if (need === 'false' && (username !== undefined || dockerConfig !== undefined)) {
    throw new MirrorError(
      'USAGE',
      '--need-credential=false rules out --username, --password and --docker-config',
    )
  }
  const [clientCert, clientKey] = [text('client-cert'), text('client-key')]
  if ((clientCert === undefined) !== (clientKey === undefined)) {
    throw new MirrorError('USAGE', `--${prefix}client-cert and --${prefix}client-key go together`)
  }
  return defined({
    username,
    password,
    dockerConfig,
    needCredential: need === undefined ? undefined : need === 'true',
    cacert: text('cacert'),
    clientCert,
    clientKey,
    insecureSkipTlsVerify: on('insecure-skip-tls-verify') || undefined,
    plainHttp: on('plain-http') || undefined,
    proxy: text('proxy'),
    noProxy: text('no-proxy'),
    limitRate: parsed('limit-rate', parseRate),
    concurrency: whole('concurrency', registrySettings.concurrency.range),
    chunkSize: text('chunk-size') === 'auto' ? ('auto' as const) : parsed('chunk-size', parseSize),
    retries: whole('retries', registrySettings.retries.range),
    retryMaxWait: parsed('retry-max-wait', parseDuration),
  })
}

/** Warnings about passwords on the command line, which everybody on this machine can see. In the environment they are hidden. */
export function passwordWarnings(flags: FlagValues): readonly string[] {
  return [...flagWarnings(flags), ...proxyWarnings(flags)]
}

function proxyWarnings(flags: FlagValues): readonly string[] {
  return (['', 'source-'] as const).flatMap((prefix) => {
    const proxy = flags[`${prefix}proxy`]
    const variable = prefix === '' ? 'MIRROR_PROXY' : 'MIRROR_SOURCE_PROXY'
    const hasPassword = typeof proxy === 'string' && /^(?:\w+:\/\/)?[^/]*:[^/]*@/.test(proxy)
    if (!hasPassword || environment()[variable] === proxy) return []
    return [
      `--${prefix}proxy shows the password of the proxy to everyone who can list processes here: prefer HTTPS_PROXY`,
    ]
  })
}

function flagWarnings(flags: FlagValues): readonly string[] {
  return (['target', 'source'] as const).flatMap((side) => {
    const prefix = prefixOf(side)
    const variable = side === 'source' ? 'MIRROR_SOURCE_PASSWORD' : 'MIRROR_PASSWORD'
    const password = flags[`${prefix}password`]
    if (password === undefined || environment()[variable] === password) return []
    return [
      `--${prefix}password shows the password to everyone who can list processes here: prefer --${prefix}password-stdin`,
    ]
  })
}

/** Settings in the order in which they win: flags before a job file. A credential takes the place of any other kind. */
export function overriding(
  settings: RegistrySettings,
  beneath: RegistrySettings | undefined,
): RegistrySettings {
  if (beneath === undefined) return settings
  const hasCredential = CREDENTIALS.some((key) => settings[key] !== undefined)
  const kept = hasCredential
    ? (Object.fromEntries(
        Object.entries(beneath).filter(([key]) => !CREDENTIALS.some((other) => other === key)),
      ) as RegistrySettings)
    : beneath
  return {...kept, ...defined(settings)}
}

export function prefixOf(side: Side): '' | 'source-' {
  return side === 'source' ? 'source-' : ''
}

const CREDENTIALS = [
  'username',
  'password',
  'passwordFile',
  'dockerConfig',
  'credentialHelper',
  'serviceAccountKey',
  'identityToken',
  'needCredential',
] as const satisfies readonly (keyof RegistrySettings)[]

/** @throws {MirrorError} CREDENTIALS_INVALID, also if there is none, which a registry would only call wrong */
async function passwordFromStdin(prefix: string): Promise<string> {
  const flag = `--${prefix}password-stdin`
  const code = 'CREDENTIALS_INVALID'
  const line = await readTextFile('-', {flag, limit: limits.listBytes, code})
  const password = line.replace(/\r?\n$/, '')
  if (password !== '') return password
  throw new MirrorError(code, `${flag}: standard input has no password`, {
    hint: 'Check the file or the command that gives it.',
  })
}
