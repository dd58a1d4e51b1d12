import {
  credentialsFromFiles,
  runCredentialHelper,
  staticCredentials,
  usualCredentialFiles,
  type Credential,
  type CredentialFile,
  type CredentialProvider,
  type FileCredentials,
} from '@airgap-mirror/oci-client'
import {authRequired} from '@airgap-mirror/oci-client/internal'
import {isMirrorError, limits, MirrorError, parseJsonObject, type Side} from '@airgap-mirror/oci-client/model'
import type {RegistrySettings} from '../job/job.js'
import {canPrompt, promptCredential} from './prompt/credential-prompt.js'
import {childEnvironment, environment, home} from '../settings/environment.js'
import {readTextFile} from '../files/read-file.js'
import {prefixOf} from '../settings/registry-settings.js'

export interface CredentialOptions {
  /** `host[:port]`. */
  readonly registry: string
  readonly side: Side
  /** The origin of the user name, for messages; default the flag. */
  readonly origin?: string
  /** Takes progress off the screen while the person at the terminal is asked; ends with the returned function. */
  readonly suspend: () => () => void
  readonly signal?: AbortSignal
}

/** The number of times that a person may mistype before the registry's refusal stands. */
const TRIES = 3

/**
 * Returns the provider of a registry's credential: the settings, then the usual files and helpers, then the user at the
 * terminal. `needCredential` requires a credential now. If it is false, none is looked up or sent, and the error of a registry
 * that asks for one says so.
 * @throws {MirrorError} CREDENTIALS_INVALID, AUTH_REQUIRED, CANCELLED
 */
export async function openCredentials(
  settings: RegistrySettings,
  options: CredentialOptions,
): Promise<CredentialProvider> {
  if (settings.needCredential === false) return onItsSide(refusedByUser, options.side)
  const given = await givenCredential(settings, options)
  if (given !== undefined) return onItsSide(given, options.side)
  const provider = onItsSide(foundOrAsked(settings.dockerConfig, options), options.side)
  const request = {registry: options.registry, refused: false, signal: options.signal}
  if (settings.needCredential === true && (await provider(request)) === undefined)
    await provider({...request, refused: true})
  return provider
}

/** Without a credential a registry may still answer: the error is for one that insists. */
const refusedByUser: CredentialProvider = async ({registry, refused}) => {
  if (!refused) return undefined
  throw new MirrorError(
    'AUTH_REQUIRED',
    `${registry} asks for a credential, and none is sent because need-credential is false`,
    {hint: 'Leave out need-credential=false, so that a credential is looked up and sent.'},
  )
}

/** A file or a helper does not know which side it is asked for. */
function onItsSide(provider: CredentialProvider, side: Side): CredentialProvider {
  return async (request) => {
    try {
      return await provider(request)
    } catch (error) {
      if (!isMirrorError(error) || error.side !== undefined || error.code === 'CANCELLED') throw error
      throw new MirrorError(error.code, error.message, {
        side,
        advice: error.advice,
        hint: error.hint,
        cause: error.cause,
      })
    }
  }
}

/** A credential that the settings hold or name, for this registry alone. */
async function givenCredential(
  settings: RegistrySettings,
  options: CredentialOptions,
): Promise<CredentialProvider | undefined> {
  const {side, origin = `--${prefixOf(side)}username`} = options
  const {username, password, passwordFile, serviceAccountKey, identityToken, credentialHelper} = settings
  if (serviceAccountKey !== undefined) {
    const key = await readServiceAccountKey(serviceAccountKey)
    return staticCredentials({username: '_json_key', password: key, origin: serviceAccountKey})
  }
  if (identityToken !== undefined)
    return async () => ({
      kind: 'identity-token',
      token: identityToken,
      username,
      origin: options.origin,
    })
  if (credentialHelper !== undefined) {
    return async ({registry, signal}) => {
      const found = await runCredentialHelper(credentialHelper, registry, {env: childEnvironment(), signal})
      return found === undefined ? undefined : {...found, origin: `docker-credential-${credentialHelper}`}
    }
  }
  const secret = passwordFile === undefined ? password : await readSecret(passwordFile, 'password-file')
  if (username === undefined) return undefined
  if (secret !== undefined) return staticCredentials({username, password: secret, origin})
  if (!canPrompt()) throw lacksPassword(side)
  return passwordAskedFor(username, options)
}

function lacksPassword(side: Side): MirrorError {
  const prefix = prefixOf(side)
  return new MirrorError(
    'USAGE',
    `--${prefix}username lacks its password, and there is no terminal to ask for it at`,
    {side, hint: `Give the password with --${prefix}password-stdin.`},
  )
}

/** A provider that asks for the password of a user when the registry first wants it, and after each refusal. */
function passwordAskedFor(username: string, {registry, suspend}: CredentialOptions): CredentialProvider {
  let asked: Credential | undefined
  let tries = 0
  return async (request) => {
    if (!request.refused || tries >= TRIES) return asked
    const question = {refused: tries > 0, lookedIn: [], configFiles: [], username, signal: request.signal}
    tries += 1
    const resume = suspend()
    try {
      const answer = await promptCredential({registry, ...question})
      asked = answer.kind === 'basic' ? {...answer, origin: 'the prompt'} : undefined
      return asked
    } finally {
      resume()
    }
  }
}

/** Google's registries take the whole key file as the password of `_json_key`; one that is not JSON is the wrong file. */
async function readServiceAccountKey(path: string): Promise<string> {
  const text = await readSecret(path, 'service-account-key')
  const {type} = parseJsonObject(Buffer.from(text), `service-account-key ${path}`)
  if (type === 'service_account') return text
  throw new MirrorError('CREDENTIALS_INVALID', `${path} is not a key of a Google service account`, {
    hint: 'It is JSON with "type": "service_account", as `gcloud iam service-accounts keys create` writes it.',
  })
}

async function readSecret(path: string, flag: string): Promise<string> {
  const text = await readTextFile(path, {
    flag,
    limit: limits.credentialFileBytes,
    code: 'CREDENTIALS_INVALID',
  })
  return text.replace(/\r?\n$/, '')
}

/** A provider that takes the login from the files. If they have none or it is refused, it asks the user at the terminal. */
function foundOrAsked(
  dockerConfig: string | undefined,
  {registry, side, suspend}: CredentialOptions,
): CredentialProvider {
  const usual = usualCredentialFiles({
    env: environment(),
    home: home(),
    uid: process.getuid?.(),
    platform: process.platform,
  })
  const named: readonly CredentialFile[] =
    dockerConfig === undefined ? [] : [{path: dockerConfig, kind: 'docker', named: true}]
  const files = openFiles([...named, ...usual])
  let asked: Credential | undefined
  let tries = 0
  return async (request) => {
    if (!request.refused) return asked ?? (await files.provider(request))
    const found = asked === undefined ? await files.provider(request) : undefined
    if (!canPrompt()) {
      if (found !== undefined) return found
      throw authRequired({registry, side, lookedIn: files.lookedIn(request.registry)})
    }
    if (tries++ >= TRIES) return asked
    const resume = suspend()
    try {
      asked = await ask({
        registry,
        side,
        refused: found !== undefined || tries > 1,
        lookedIn: files.lookedIn(request.registry).map(({place, found: what}) => `${place}: ${what}`),
        configFiles: usual
          .filter(({kind, text}) => kind === 'docker' && text === undefined)
          .map(({path}) => path),
        signal: request.signal,
      })
      return asked
    } finally {
      resume()
    }
  }
}

/** A file without a login for the registry is no answer: it is said, and the person is asked again. */
async function ask({
  side,
  ...question
}: Parameters<typeof promptCredential>[0] & {readonly side: Side}): Promise<Credential | undefined> {
  const {registry, signal} = question
  let problem: string | undefined
  for (let tries = 1; ; tries++) {
    const answer = await promptCredential({...question, problem})
    if (answer.kind === 'basic') return {...answer, origin: 'the prompt'}
    const file = openFiles([{path: answer.path, kind: 'docker', named: true}])
    try {
      const found = await file.provider({registry, refused: false, signal})
      if (found !== undefined) return found
      problem = `${answer.path} has no login for ${registry}`
      if (tries >= TRIES) throw authRequired({registry, side, lookedIn: file.lookedIn(registry)})
    } catch (error) {
      if (!isMirrorError(error) || error.code === 'CANCELLED' || tries >= TRIES) throw error
      problem = error.message
    }
  }
}

function openFiles(files: readonly CredentialFile[]): FileCredentials {
  return credentialsFromFiles(files, {
    runHelper: (name, server, {signal}) =>
      runCredentialHelper(name, server, {env: childEnvironment(), signal}),
  })
}
