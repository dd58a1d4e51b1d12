import {canonicalRegistry, isJsonObject, MirrorError, type JsonObject} from '../model/index.js'
import {isFlat, parseDockerConfig} from './docker-config.js'
import {HUB_KEY, parseRegistryKey} from './registry-key.js'

/** The name of a registry in docker's files and helpers, and in podman's. */
export type KeyStyle = 'docker' | 'podman'

/** Returns the key of a registry's login: docker keeps Docker Hub's under a URL of its first API. */
export function loginKey(registry: string, style: KeyStyle): string {
  const canonical = canonicalRegistry(registry)
  return canonical === 'docker.io' && style === 'docker' ? HUB_KEY : canonical
}

export interface EditOptions {
  /** For messages. */
  readonly path: string
  readonly registry: string
  readonly style: KeyStyle
}

/**
 * Returns the text of a Docker config with a login in it, and everything else as it was.
 * @param login absent: the empty entry that docker writes if a helper has the login
 * @throws {MirrorError} CREDENTIALS_INVALID for a text that is no Docker config
 */
export function withLogin(
  text: string,
  {
    path,
    registry,
    style,
    login,
  }: EditOptions & {readonly login?: {readonly username: string; readonly password: string}},
): string {
  const {json, auths} = parse(text, path)
  const entry = {auth: login && Buffer.from(`${login.username}:${login.password}`).toString('base64')}
  return format({...json, auths: {...auths, [loginKey(registry, style)]: entry}})
}

/**
 * Returns the text without the logins for all of a registry, however their keys spell it; undefined if it has none. Logins
 * for parts of a registry stay, because they were made apart.
 * @throws {MirrorError} CREDENTIALS_INVALID for a text that is no Docker config
 */
export function withoutLogin(text: string, {path, registry}: Omit<EditOptions, 'style'>): string | undefined {
  const {json, auths} = parse(text, path)
  const host = canonicalRegistry(registry)
  const isMeant = (key: string): boolean => {
    const parsed = parseRegistryKey(key)
    return parsed.host === host && parsed.path === ''
  }
  const kept = Object.entries(auths).filter(([key]) => !isMeant(key))
  if (kept.length === Object.keys(auths).length) return undefined
  return format({...json, auths: Object.fromEntries(kept)})
}

function parse(text: string, path: string): {readonly json: JsonObject; readonly auths: JsonObject} {
  // It has the messages for everything that is wrong.
  parseDockerConfig(text, {path})
  const json = JSON.parse(text.trim() === '' ? '{}' : text.replace(/^\uFEFF/, '')) as JsonObject
  if (isFlat(json)) {
    throw new MirrorError(
      'CREDENTIALS_INVALID',
      `${path} has the old form of .dockercfg, which is not written`,
    )
  }
  return {json, auths: isJsonObject(json['auths']) ? json['auths'] : {}}
}

/** As docker and podman write it. */
function format(json: JsonObject): string {
  return `${JSON.stringify(json, undefined, '\t')}\n`
}
