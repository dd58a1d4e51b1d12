import {basename, dirname, join, resolve} from 'node:path'
import {
  eraseWithHelper,
  helperFor,
  loginKey,
  parseDockerConfig,
  readCredentialFile,
  storeWithHelper,
  withLogin,
  withoutLogin,
  type KeyStyle,
} from '@airgap-mirror/oci-client/internal'
import {makeDirectory, MirrorError, type CallOptions} from '@airgap-mirror/oci-client/model'
import {writeAtomically} from '../files/write-atomically.js'
import {childEnvironment, environment, home} from '../settings/environment.js'

export interface Login {
  readonly registry: string
  readonly username: string
  readonly password: string
}

/** For its user alone: the passwords in it are only encoded. */
const OWN_FILE = 0o600
const OWN_DIRECTORY = 0o700

/** The file in which a login is kept: the one that was named, else the first in which docker would look. */
export function loginFile(named: string | undefined): string {
  if (named !== undefined) return resolve(named)
  const env = environment()
  const authFile = env['REGISTRY_AUTH_FILE'] || undefined
  return resolve(authFile ?? join(env['DOCKER_CONFIG'] || join(home(), '.docker'), 'config.json'))
}

/**
 * Keeps a login in a Docker config, or with the credential helper that this names for the registry.
 * @returns the place, for messages
 * @throws {MirrorError} CREDENTIALS_INVALID, WRITE_FAILED, CANCELLED
 */
export async function keepLogin(path: string, login: Login, {signal}: CallOptions): Promise<string> {
  const {registry} = login
  const style = styleOf(path)
  const before = await textOf(path, signal)
  const helper = helperFor(parseDockerConfig(before, {path}), registry)
  const options = {path, registry, style}
  if (helper === undefined) {
    await write(path, withLogin(before, {...options, login}))
    return path
  }
  // The text first, because a fault in it must not leave a login behind with the helper.
  const text = withLogin(before, options)
  const server = loginKey(registry, style)
  await storeWithHelper(helper, {...login, server}, {env: childEnvironment(), signal})
  await write(path, text)
  return `docker-credential-${helper}, which ${path} names`
}

/**
 * Removes the login of a registry from a Docker config and from the helper that this names for it.
 * @returns false if there was none
 * @throws {MirrorError} CREDENTIALS_INVALID, WRITE_FAILED, CANCELLED
 */
export async function removeLogin(path: string, registry: string, {signal}: CallOptions): Promise<boolean> {
  const before = await textOf(path, signal)
  const helper = helperFor(parseDockerConfig(before, {path}), registry)
  const server = loginKey(registry, styleOf(path))
  const erased =
    helper === undefined ? false : await eraseWithHelper(helper, server, {env: childEnvironment(), signal})
  const text = withoutLogin(before, {path, registry})
  if (text !== undefined) await write(path, text)
  return erased || text !== undefined
}

/** Podman's file goes by this name in all of its places. */
function styleOf(path: string): KeyStyle {
  return basename(path) === 'auth.json' ? 'podman' : 'docker'
}

/** Empty if there is no such file. */
async function textOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const read = await readCredentialFile({path, kind: 'docker'}, {signal})
  if (read.found === 'text') return read.text
  if (read.found === 'no file') return ''
  throw new MirrorError('CREDENTIALS_INVALID', `cannot read the Docker config ${path}: ${read.detail}`)
}

async function write(path: string, text: string): Promise<void> {
  // A directory that cannot be made is told as the file that cannot be written.
  await makeDirectory(dirname(path), {mode: OWN_DIRECTORY}).catch(() => undefined)
  await writeAtomically(path, text, {mode: OWN_FILE})
}
