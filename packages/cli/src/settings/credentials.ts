import {
  authRequired,
  credentialsFromFiles,
  runCredentialHelper,
  staticCredentials,
  usualCredentialFiles,
  type Credential,
  type CredentialFile,
  type CredentialProvider,
  type FileCredentials,
} from '@airgap-mirror/oci-client'
import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {canPrompt, promptCredential} from '../prompt/credential-prompt.js'
import {environment, home} from './environment.js'
import type {PushFlags} from './push-settings.js'
import {readTextFile} from './read-file.js'

export interface Credentials {
  /** Absent under `--need-credential=false`. */
  readonly provider?: CredentialProvider
  readonly warnings: readonly string[]
}

export interface CredentialOptions {
  /** `host[:port]` of the private registry. */
  readonly registry: string
  /** Takes progress off the screen while the person at the terminal is asked; ends with the returned function. */
  readonly suspend: () => () => void
  readonly signal?: AbortSignal
}

/** How often a person may mistype before the registry's refusal stands. */
const TRIES = 3

/**
 * Where the private registry's credential comes from: flags, then `--docker-config`, then the usual files and helpers, then
 * the person at the terminal. `--need-credential` insists on one now, or rules all of it out.
 * @throws {MirrorError} USAGE, CREDENTIALS_INVALID, AUTH_REQUIRED, CANCELLED
 */
export const openCredentials = async (flags: PushFlags, options: CredentialOptions): Promise<Credentials> => {
  const need = flags['need-credential']
  const username = text(flags['username'])
  const password = flags['password-stdin'] === true ? await passwordFromStdin() : text(flags['password'])
  if ((username === undefined) !== (password === undefined)) {
    throw new MirrorError('USAGE', '--username goes with --password or --password-stdin')
  }
  if (need === 'false') {
    if (username === undefined && flags['docker-config'] === undefined) return {warnings: []}
    throw new MirrorError(
      'USAGE',
      '--need-credential=false rules out --username, --password and --docker-config',
    )
  }
  const warnings =
    flags['password'] === undefined || environment()['MIRROR_PASSWORD'] !== undefined
      ? []
      : ['--password shows the password to everyone who can list processes here: prefer --password-stdin']
  if (username !== undefined && password !== undefined) {
    return {provider: staticCredentials({username, password, origin: '--username'}), warnings}
  }
  const provider = foundOrAsked(text(flags['docker-config']), options)
  const request = {registry: options.registry, refused: false, signal: options.signal}
  if (need === 'true' && (await provider(request)) === undefined) await provider({...request, refused: true})
  return {provider, warnings}
}

/** What the files have; where that is nothing or refused, what the person at the terminal says. */
const foundOrAsked = (
  dockerConfig: string | undefined,
  {registry, suspend}: CredentialOptions,
): CredentialProvider => {
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
      throw authRequired({registry, side: 'target', lookedIn: files.lookedIn(request.registry)})
    }
    if (tries++ >= TRIES) return asked
    const resume = suspend()
    try {
      asked = await ask({
        registry,
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

const ask = async (question: Parameters<typeof promptCredential>[0]): Promise<Credential | undefined> => {
  const answer = await promptCredential(question)
  if (answer.kind === 'basic') return {...answer, origin: 'the prompt'}
  const {registry, signal} = question
  const file = openFiles([{path: answer.path, kind: 'docker', named: true}])
  const found = await file.provider({registry, refused: false, signal})
  if (found !== undefined) return found
  throw authRequired({registry, side: 'target', lookedIn: file.lookedIn(registry)})
}

const openFiles = (files: readonly CredentialFile[]): FileCredentials =>
  credentialsFromFiles(files, {
    runHelper: (name, server, {signal}) => runCredentialHelper(name, server, {env: environment(), signal}),
  })

const passwordFromStdin = async (): Promise<string> => {
  const line = await readTextFile('-', {
    flag: '--password-stdin',
    limit: limits.listBytes,
    code: 'CREDENTIALS_INVALID',
  })
  return line.replace(/\r?\n$/, '')
}

const text = (value: PushFlags[string]): string | undefined => (typeof value === 'string' ? value : undefined)
