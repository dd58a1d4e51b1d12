import {
  canonicalRegistry,
  isJsonObject,
  isMirrorError,
  MirrorError,
  type Advice,
  type JsonObject,
} from '../model/index.js'
import type {BasicCredential, Credential} from './credential.js'
import {HUB_KEY, keysFor, parseRegistryKey, type RegistryKey} from './registry-key.js'

/**
 * A docker `config.json`, podman `auth.json`, `.dockercfg` or `$DOCKER_AUTH_CONFIG`. Entries are parsed when they are
 * used.
 */
export interface DockerConfig {
  /** For messages. */
  readonly path: string
  readonly auths: ReadonlyMap<string, JsonObject>
  readonly credHelpers: ReadonlyMap<string, string>
  readonly credsStore: string | undefined
}

/** Asks `docker-credential-NAME` for a server; returns undefined if it has no credential. */
export type RunHelper = (
  name: string,
  server: string,
  options: {readonly signal?: AbortSignal},
) => Promise<Credential | undefined>

export interface Found {
  readonly credential: Credential
  /** The file and the key, or the helper and the file that names it. */
  readonly origin: string
}

const CORRECT: Advice = {kind: 'correct-credential-file'}

/**
 * Parses docker/cli's configfile, containers-auth.json.5, or the flat legacy form, detected from the content.
 * @throws {MirrorError} CREDENTIALS_INVALID naming the file
 */
export function parseDockerConfig(text: string, options: {readonly path: string}): DockerConfig {
  const {path} = options
  let json: unknown
  try {
    json = JSON.parse(text.trim() === '' ? '{}' : text.replace(/^\uFEFF/, ''))
  } catch {
    // Not kept as a cause: the parser's message quotes the text around the fault, where the passwords are.
    throw new MirrorError('CREDENTIALS_INVALID', `${path} is not JSON`, {advice: CORRECT})
  }
  if (!isJsonObject(json))
    throw new MirrorError('CREDENTIALS_INVALID', `${path} is not a JSON object`, {advice: CORRECT})
  const auths = isFlat(json) ? json : sectionOf(json, 'auths', path)
  const credHelpers = Object.entries(sectionOf(json, 'credHelpers', path))
  const {credsStore} = json
  return {
    path,
    auths: new Map(
      Object.entries(auths).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1])),
    ),
    credHelpers: new Map(
      credHelpers.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ),
    credsStore: typeof credsStore === 'string' && credsStore !== '' ? credsStore : undefined,
  }
}

/**
 * Looks a registry up as docker does: its own helper, the helper for all, the entries. If a helper is missing, fails or
 * has no credential, the entries are searched. Hosts are compared exactly, ports included.
 * Without a repository, an entry for a part of the registry is used if there is none for all of it.
 * @throws {MirrorError} CREDENTIALS_INVALID for an entry that cannot be read, and the helper's error if no entry
 * matches
 */
export async function findCredential(
  config: DockerConfig,
  wanted: {readonly registry: string; readonly repository?: string},
  options: {readonly runHelper: RunHelper; readonly signal?: AbortSignal},
): Promise<Found | undefined> {
  const {runHelper, signal} = options
  const helper = helperFor(config, wanted.registry)
  let failure: MirrorError | undefined
  for (const server of helper === undefined ? [] : serverNames(wanted.registry)) {
    try {
      const credential = await runHelper(helper ?? '', server, {signal})
      if (credential !== undefined)
        return found(credential, `docker-credential-${helper}, which ${config.path} names`)
    } catch (error) {
      if (!isMirrorError(error) || error.code === 'CANCELLED') throw error
      failure = error
      break
    }
  }
  const anyPart = wanted.repository === undefined ? repositoryKeys(config, wanted.registry) : []
  for (const key of [...keysFor(wanted.registry, wanted.repository), ...anyPart]) {
    for (const [name, entry] of matching(config, key)) {
      const credential = credentialOf(entry, {path: config.path, key: name})
      if (credential === undefined) continue
      const instead = failure === undefined ? '' : `, since ${failure.message}`
      return found(credential, `${config.path} (${name})${instead}`)
    }
  }
  if (failure !== undefined) throw failure
  return undefined
}

/** Returns the helper that docker would ask for a registry. */
export function helperFor(config: DockerConfig, registry: string): string | undefined {
  const host = canonicalRegistry(registry)
  const own = [...config.credHelpers].find(([key]) => {
    const parsed = parseRegistryKey(key)
    return parsed.host === host && parsed.path === ''
  })
  // An empty name switches the helper for all off for this registry (containers-auth.json.5).
  const helper = own === undefined ? config.credsStore : own[1]
  return helper === '' ? undefined : helper
}

/** Returns true if other repositories of the registry may have other credentials than this one. */
export function hasRepositoryKeys(config: DockerConfig, registry: string): boolean {
  return repositoryKeys(config, registry).length > 0
}

function repositoryKeys(config: DockerConfig, registry: string): readonly RegistryKey[] {
  const host = canonicalRegistry(registry)
  return [...config.auths.keys()].map(parseRegistryKey).filter((key) => key.host === host && key.path !== '')
}

function found(credential: Credential, origin: string): Found {
  return {
    credential: {...credential, origin},
    origin,
  }
}

/** Docker stores Docker Hub under its own key, podman under its name. */
function serverNames(registry: string): readonly string[] {
  return canonicalRegistry(registry) === 'docker.io' ? [HUB_KEY, 'docker.io'] : [registry]
}

/** Returns the matching entries. A key with exactly this text comes before keys that only mean the same. */
function matching(
  config: DockerConfig,
  key: {readonly host: string; readonly path: string},
): readonly (readonly [string, JsonObject])[] {
  const exact = new Set([key.path === '' ? key.host : `${key.host}/${key.path}`, HUB_KEY])
  const same = [...config.auths].filter(([name]) => {
    const parsed = parseRegistryKey(name)
    return parsed.host === key.host && parsed.path === key.path
  })
  return same.sort(([left], [right]) => Number(exact.has(right)) - Number(exact.has(left)))
}

/** Returns undefined for the empty entry that docker leaves if the helper for all holds the password. */
function credentialOf(
  entry: JsonObject,
  where: {readonly path: string; readonly key: string},
): Credential | undefined {
  const text = (field: string): string | undefined => {
    const value = entry[field]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const registryToken = text('registrytoken')
  if (registryToken !== undefined) return {kind: 'bearer', token: registryToken}
  const auth = text('auth')
  const identityToken = text('identitytoken')
  const pair = auth === undefined ? plainPair(text('username'), text('password')) : decodeAuth(auth, where)
  if (identityToken === undefined) return pair
  const username = pair?.username ?? text('username')
  return {kind: 'identity-token', token: identityToken, username}
}

function plainPair(username: string | undefined, password: string | undefined): BasicCredential | undefined {
  return username === undefined || password === undefined ? undefined : {kind: 'basic', username, password}
}

/** Decodes base64 of `user:password`, split at the first colon. Docker pads some passwords with NUL. */
function decodeAuth(auth: string, where: {readonly path: string; readonly key: string}): BasicCredential {
  const invalid = (why: string): MirrorError =>
    new MirrorError('CREDENTIALS_INVALID', `${where.path}: the auth of ${JSON.stringify(where.key)} ${why}`, {
      advice: CORRECT,
    })
  const base64 = auth.trim()
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw invalid('is not base64')
  const plain = Buffer.from(base64, 'base64').toString('utf8')
  const colon = plain.indexOf(':')
  if (colon < 0) throw invalid('holds no user name and password')
  return {
    kind: 'basic',
    username: plain.slice(0, colon),
    password: plain.slice(colon + 1).replaceAll(/^\0+|\0+$/g, ''),
  }
}

/** Returns true for a `.dockercfg`, which has the entries at the top level. */
export function isFlat(json: JsonObject): boolean {
  return (
    !['auths', 'credHelpers', 'credsStore'].some((name) => name in json) &&
    Object.values(json).some((entry) => isJsonObject(entry) && ('auth' in entry || 'identitytoken' in entry))
  )
}

function sectionOf(json: JsonObject, name: string, path: string): JsonObject {
  const section = json[name] ?? {}
  if (isJsonObject(section)) return section
  throw new MirrorError('CREDENTIALS_INVALID', `${path}: ${name} is not an object`, {advice: CORRECT})
}
