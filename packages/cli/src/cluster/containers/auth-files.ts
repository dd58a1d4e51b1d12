import {isJsonObject, messageOf, type JsonObject} from '@airgap-mirror/oci-client/model'
import type {NodeFiles} from '../files/node-files.js'
import {decodedLogin, type NodeLogin} from '../node-login.js'
import {nameOnly, type ImageName} from './image-name.js'

export interface AuthFile {
  readonly path: string
  /** `.dockercfg`: the file is the map of logins itself, and its keys are hosts alone. */
  readonly legacy?: boolean
}

export interface FoundLogin {
  readonly auth: 'none' | 'basic' | 'identity-token' | 'credential-helper'
  /** `PATH [KEY]`. Absent if there is no login. */
  readonly from?: string
  /** Gives the secret: a function, so that no output of the login shows it. */
  readonly login?: () => NodeLogin
  /** Set if a file cannot be read: then containers/image asks nothing of the host. */
  readonly problem?: string
}

interface Login {
  readonly auth?: string
  readonly identitytoken?: string
}

interface AuthContents {
  readonly auths: ReadonlyMap<string, Login>
  readonly helpers: ReadonlyMap<string, string>
}

/**
 * The login that is sent for a name as rewritten: of the first file that has one, by the longest of `host/ns/repo`, `host/ns`,
 * `host`.
 */
export function findLogin(
  name: ImageName,
  {files, authFiles}: {readonly files: NodeFiles; readonly authFiles: readonly AuthFile[]},
): FoundLogin {
  for (const file of authFiles) {
    const text = files.text(file.path)
    if (text === undefined) continue
    const found = loginIn(text, {name, file})
    if (found !== undefined) return found
  }
  return {auth: 'none'}
}

function loginIn(
  text: string,
  {name, file}: {readonly name: ImageName; readonly file: AuthFile},
): FoundLogin | undefined {
  let contents: AuthContents
  try {
    contents = parseAuthFile(text, file)
  } catch (error) {
    const problem = `reading JSON file "${file.path}": unmarshaling JSON at "${file.path}": ${messageOf(error)}`
    return {auth: 'none', problem: `getting username and password: ${problem}`}
  }
  const helper = contents.helpers.get(name.domain)
  if (helper !== undefined)
    return {auth: 'credential-helper', from: `${file.path} [credHelpers ${name.domain}: ${helper}]`}
  const key =
    keysFor(name, file).find((candidate) => contents.auths.has(candidate)) ??
    urlKey(name, {keys: [...contents.auths.keys()], file})
  const login = key === undefined ? undefined : contents.auths.get(key)
  if (login === undefined) return undefined
  const from = `${file.path} [${key}]`
  const decoded = Buffer.from(login.auth ?? '', 'base64').toString()
  // without a colon the entry counts as absent, and the next file is asked
  if (!decoded.includes(':')) return undefined
  const token = login.identitytoken ?? ''
  if (token !== '') return {auth: 'identity-token', from, login: () => ({kind: 'identity-token', token})}
  if (decoded.startsWith(':')) return {auth: 'none', from}
  return {auth: 'basic', from, login: () => decodedLogin(login.auth ?? '')}
}

function keysFor(name: ImageName, {legacy = false}: AuthFile): readonly string[] {
  if (legacy) return [name.domain]
  const parts = nameOnly(name).split('/')
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'))
}

/** Keys written as URLs by `docker login`, such as `https://index.docker.io/v1/` for docker.io. */
function urlKey(
  name: ImageName,
  {keys, file: {legacy = false}}: {readonly keys: readonly string[]; readonly file: AuthFile},
): string | undefined {
  const wanted = normalizedHost(name.domain)
  return keys.find((key) => {
    const stripped = key.replace(/^https?:\/\//, '')
    const host = legacy || stripped !== key ? stripped.replace(/\/.*$/, '') : stripped
    return normalizedHost(host) === wanted
  })
}

function normalizedHost(host: string): string {
  return host === 'docker.io' || host === 'registry-1.docker.io' ? 'index.docker.io' : host
}

function parseAuthFile(text: string, {legacy = false}: AuthFile): AuthContents {
  const root = asObject(JSON.parse(text))
  const auths = asObject((legacy ? root : root['auths']) ?? {})
  const helpers = asObject((legacy ? undefined : root['credHelpers']) ?? {})
  return {
    auths: new Map(
      Object.entries(auths).map(([key, value]) => {
        const login = asObject(value ?? {})
        return [key, {...textIn(login, 'auth'), ...textIn(login, 'identitytoken')} satisfies Login] as const
      }),
    ),
    helpers: new Map(
      Object.entries(helpers).flatMap(([key, value]) =>
        typeof value === 'string' ? [[key, value] as const] : [],
      ),
    ),
  }
}

function textIn(table: Readonly<Record<string, unknown>>, key: string): Readonly<Record<string, string>> {
  const value = table[key]
  if (value === undefined || value === null) return {}
  if (typeof value !== 'string') throw new Error(`${key} is not text`)
  return {[key]: value}
}

function asObject(value: unknown): JsonObject {
  if (isJsonObject(value)) return value
  throw new Error('an object is expected')
}
