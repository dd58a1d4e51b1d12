import {isMirrorError, MirrorError} from '../model/index.js'
import type {Credential, CredentialProvider, CredentialRequest} from './credential.js'
import type {CredentialFile} from './credential-places.js'
import {
  findCredential,
  hasRepositoryKeys,
  helperFor,
  parseDockerConfig,
  type DockerConfig,
  type RunHelper,
} from './docker-config.js'
import {readCredentialFile} from './read-credential-file.js'
import type {LookedIn} from './refusal.js'

/** The logins that files hold, and a record of the places that were searched. */
export interface FileCredentials {
  /** Returns the first credential in the files, in their order; reads them again after a refusal. */
  readonly provider: CredentialProvider
  /** Returns the finding at each place when the registry was last looked up, for `authRequired`. Empty before that. */
  readonly lookedIn: (registry: string) => readonly LookedIn[]
}

type Loaded =
  | {readonly config: DockerConfig; readonly again: boolean}
  | {readonly config?: never; readonly again: boolean; readonly note: Omit<LookedIn, 'place'>}

/**
 * Returns credentials from docker's and podman's files and the helpers they name.
 * A fault at a usual place is noted and the next place searched, because it may be the remains of another tool. Such
 * faults are: not readable, not JSON, a bad entry, a helper that is missing or fails. The notes are shown if no place
 * has a credential.
 * In a file that the user named, the same fault is an error.
 */
export function credentialsFromFiles(
  files: readonly CredentialFile[],
  options: {readonly runHelper: RunHelper},
): FileCredentials {
  const loaded = new Map<CredentialFile, Loaded>()
  const answers = new Map<string, Credential | undefined>()
  const places = new Map<string, readonly LookedIn[]>()

  const runHelper: RunHelper = async (name, server, {signal}) => {
    const key = JSON.stringify([name, server])
    if (!answers.has(key)) answers.set(key, await options.runHelper(name, server, {signal}))
    return answers.get(key)
  }

  const load = async (file: CredentialFile, signal: AbortSignal | undefined): Promise<Loaded> => {
    const known = loaded.get(file)
    if (known !== undefined) return known
    const result = parsed(file, await readCredentialFile(file, {signal}))
    loaded.set(file, result)
    return result
  }

  const lookIn = async (
    file: CredentialFile,
    {registry, repository, signal}: CredentialRequest,
  ): Promise<LookedIn & {readonly credential?: Credential}> => {
    const contents = await load(file, signal)
    if (contents.config === undefined) return {place: file.path, ...contents.note}
    const {config} = contents
    try {
      const found = await findCredential(config, {registry, repository}, {runHelper, signal})
      if (found === undefined) return {place: file.path, found: 'no entry'}
      return {place: found.origin, found: 'credential', credential: found.credential}
    } catch (error) {
      if (!isMirrorError(error) || error.code === 'CANCELLED' || file.named === true) throw error
      const helper = helperFor(config, registry)
      return {
        place: file.path,
        found: helper === undefined ? 'malformed' : 'helper failed',
        detail: error.message,
      }
    }
  }

  const provider: CredentialProvider = async (request) => {
    const {registry, refused} = request
    if (refused) {
      answers.clear()
      for (const [file, {again}] of loaded) if (again) loaded.delete(file)
    }
    const looked: LookedIn[] = []
    places.set(registry, looked)
    for (const file of files) {
      const {credential, ...place} = await lookIn(file, request)
      looked.push(place)
      if (credential === undefined) continue
      const repositoryOnly = [...loaded.values()].some(
        ({config}) => config !== undefined && hasRepositoryKeys(config, registry),
      )
      return repositoryOnly ? {...credential, repositoryOnly} : credential
    }
    return undefined
  }

  return {provider, lookedIn: (registry) => places.get(registry) ?? []}
}

function parsed(file: CredentialFile, read: Awaited<ReturnType<typeof readCredentialFile>>): Loaded {
  const {path, named = false} = file
  if (read.found !== 'text') {
    const detail = read.found === 'unreadable' ? read.detail : undefined
    if (named) {
      const why = detail === undefined ? 'there is no such file' : detail
      throw new MirrorError('CREDENTIALS_INVALID', `cannot read the Docker config ${path}: ${why}`)
    }
    return {again: true, note: {found: read.found, detail}}
  }
  try {
    return {config: parseDockerConfig(read.text, {path}), again: read.again}
  } catch (error) {
    if (!isMirrorError(error)) throw error
    if (named) {
      const {code, message, advice, cause} = error
      throw new MirrorError(code, `the Docker config ${message}`, {advice, cause})
    }
    return {again: read.again, note: {found: 'malformed', detail: error.message}}
  }
}
