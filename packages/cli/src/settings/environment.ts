import {accessSync, constants} from 'node:fs'
import {homedir, userInfo} from 'node:os'
import {isAbsolute, join} from 'node:path'
import type {ProxyOptions} from '@airgap-mirror/oci-client'
import {codeOf} from '@airgap-mirror/oci-client/model'

export type Environment = Readonly<Record<string, string | undefined>>

/** The one place that reads the process's environment, except for the flags' own variables. */
export function environment(): Environment {
  return process.env
}

/** Keeps packages from writing debug output to standard error: the flag parser would print passwords. */
export function ignoreDebug(): void {
  delete process.env['DEBUG']
}

/** Variables of this program that hold secrets. The notify command may hold the token of a web hook. */
const SECRET: ReadonlySet<string> = new Set([
  'MIRROR_PASSWORD',
  'MIRROR_SOURCE_PASSWORD',
  'MIRROR_PROXY',
  'MIRROR_SOURCE_PROXY',
  'MIRROR_NOTIFY_COMMAND',
])

/** The environment without the secrets of this program's own variables: no program that is started needs them. */
export function childEnvironment(): Environment {
  return Object.fromEntries(Object.entries(environment()).filter(([name]) => !SECRET.has(name)))
}

/**
 * Sets SHELL and HOME if the system has none for the user: a container may run under a uid without an entry in passwd, for
 * which Node throws, and libraries ask for both.
 */
export function completeEnvironment(): void {
  try {
    userInfo()
  } catch {
    process.env['SHELL'] ||= '/bin/sh'
  }
  try {
    const own = homedir()
    if (own !== '' && isReachable(own)) return
  } catch {
    // As without a home: what is kept there cannot be written, and is warned of as usual.
  }
  process.env['HOME'] = '/'
}

/** A home that is missing is one that can be made. */
function isReachable(directory: string): boolean {
  try {
    accessSync(directory, constants.X_OK)
    return true
  } catch (error) {
    return codeOf(error) !== 'EACCES'
  }
}

export function home(): string {
  return environment()['HOME'] ?? homedir()
}

/**
 * The place of the state unless the user names another (XDG Base Directory Specification: a relative path does not
 * count).
 */
export function stateHome(env: Environment): string {
  const named = env['XDG_STATE_HOME'] ?? ''
  return join(isAbsolute(named) ? named : join(home(), '.local', 'state'), 'mirror')
}

/**
 * Proxies as Go tools take them from the environment; the upper-case name wins, an empty value means none. ALL_PROXY is for
 * those that have no proxy of their own, as in curl.
 */
export function proxyFrom(
  env: Environment,
  flags: {readonly proxy?: string; readonly noProxy?: string},
): ProxyOptions {
  const all = either(env, 'ALL_PROXY')
  return {
    httpsProxy: flags.proxy ?? either(env, 'HTTPS_PROXY') ?? all,
    httpProxy: flags.proxy ?? either(env, 'HTTP_PROXY') ?? all,
    noProxy: flags.noProxy ?? either(env, 'NO_PROXY'),
  }
}

function either(env: Environment, name: string): string | undefined {
  return env[name] || env[name.toLowerCase()] || undefined
}
