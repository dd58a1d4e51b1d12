import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {insertMirror} from '../../cluster/emit/bmctl-into.js'
import {emit} from '../../cluster/emit/emit.js'
import type {EmitRequest, Login, RegistryAccess} from '../../cluster/emit/emission.js'
import {bmctlMirror, bmctlNotes} from '../../cluster/emit/gdc.js'
import {makeMapping} from '../../cluster/emit/mapping.js'
import {noteLine, warningLine} from '../../render/event-line.js'
import {writeAtomically} from '../../files/write-atomically.js'
import {openCredentials} from '../../run/credentials.js'
import {readEmitSettings, type EmitSettings} from './emit-settings.js'
import type {FlagValues} from '../../settings/flag-values.js'
import {readTextFile} from '../../files/read-file.js'
import {passwordWarnings} from '../../settings/registry-settings.js'
import {runAsking} from '../../run/run-asking.js'
import {readMappedImages} from './mapped-images.js'
import {asText, writeTree} from './write-tree.js'

/**
 * Writes the configuration to standard output, or below a directory. Notes and warnings go to standard error.
 * @throws {MirrorError} USAGE, NOT_EXPRESSIBLE, WRITE_FAILED, and the errors of reading the images
 */
export async function runConfigEmit(flags: FlagValues): Promise<void> {
  const settings = await readEmitSettings(flags)
  for (const warning of passwordWarnings(flags)) warn(warning)
  const {images, rules} = await runAsking((run) => readMappedImages(settings, run))
  const request: EmitRequest = {
    mapping: makeMapping(images, {hosts: settings.hosts, rules}),
    access: await accessOf(settings, rules.registry),
    fallback: settings.fallback,
    version: settings.version,
    admit: settings.admit,
    blocked: settings.blocked,
    searched: settings.searched,
    signatureKey: settings.signatureKey,
    isDeprecated: settings.isDeprecated,
    directory: settings.output,
  }
  if (settings.into !== undefined) return insertInto(settings.into, request)
  const {files, notes} = emit(settings.target, request)
  if (settings.output === undefined) process.stdout.write(asText(files))
  else {
    const written = await writeTree(settings.output, {files, overwrites: settings.overwrites})
    for (const line of written) process.stderr.write(noteLine(line))
  }
  for (const note of notes) process.stderr.write(noteLine(`note: ${note}`))
}

async function insertInto(path: string, request: EmitRequest): Promise<void> {
  const {mirror, files} = bmctlMirror(request)
  if (files.length > 0) {
    throw new MirrorError(
      'USAGE',
      '--inline-credentials does not go with --into: a cluster file only names a login',
      {hint: 'Name a Docker config.json with --docker-config.'},
    )
  }
  const before = await readTextFile(path, {flag: '--into', limit: limits.listBytes, code: 'CONFIG_INVALID'})
  const {text, replaced} = insertMirror(before, {name: path, mirror})
  for (const endpoint of replaced) warn(`${path}: the mirror ${endpoint} was replaced`)
  if (text !== before) await writeAtomically(path, text)
  process.stderr.write(
    noteLine(`${path}: ${text === before ? 'nothing to change' : 'registryMirrors written'}`),
  )
  for (const note of bmctlNotes(request)) process.stderr.write(noteLine(`note: ${note}`))
}

async function accessOf(settings: EmitSettings, registry: string): Promise<RegistryAccess> {
  const {registrySettings, connection, inlinesCredentials} = settings
  const {tls, plainHttp = false} = connection
  return {
    registry,
    plainHttp,
    skipVerify: tls?.insecureSkipVerify === true,
    ca: tls?.ca?.join('\n'),
    caPath: registrySettings.cacert,
    clientCert: tls?.clientCert,
    // A private key is a credential: without --inline-credentials it is only named.
    clientKey: inlinesCredentials ? tls?.clientKey : undefined,
    login: inlinesCredentials ? await loginFor(settings, registry) : undefined,
    loginPath: registrySettings.dockerConfig,
    proxy: registrySettings.proxy,
    noProxy: registrySettings.noProxy,
  }
}

/** @throws {MirrorError} CREDENTIALS_INVALID if there is neither a login nor a client certificate to write */
async function loginFor(
  {registrySettings, connection}: EmitSettings,
  registry: string,
): Promise<Login | undefined> {
  const suspend = (): (() => void) => () => {}
  const provider = await openCredentials(registrySettings, {registry, side: 'target', suspend})
  const found = await provider?.({registry, refused: false})
  if (found?.kind === 'basic') return {username: found.username, password: found.password}
  if (found === undefined && connection.tls?.clientKey !== undefined) return undefined
  throw new MirrorError(
    'CREDENTIALS_INVALID',
    found === undefined
      ? `no login for ${registry} was found to write into the files`
      : `the login for ${registry} is a token, which nodes cannot use`,
    {hint: 'Give a user name and password with --username and --password-stdin.'},
  )
}

function warn(text: string): void {
  process.stderr.write(warningLine(text))
}
