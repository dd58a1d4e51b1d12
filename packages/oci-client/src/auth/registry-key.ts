import {canonicalRegistry} from '../model/index.js'

/** A parsed key of a credential file: a registry, and for podman's keys a part of its paths. */
export interface RegistryKey {
  /** `host[:port]` in lower case; Docker Hub's many names are `docker.io`. */
  readonly host: string
  /** Empty for the whole registry. */
  readonly path: string
}

/** The key of Docker Hub's login in docker's files and helpers. */
export const HUB_KEY = 'https://index.docker.io/v1/'

/**
 * Parses a key as docker and podman write them: `host:port`, `host/namespace/repository` (containers-auth.json.5), or
 * `https://host/v1/`, an old API path without meaning.
 */
export function parseRegistryKey(key: string): RegistryKey {
  const bare = key.replace(/^https?:\/\//i, '')
  const slash = bare.indexOf('/')
  const host = canonicalRegistry(slash < 0 ? bare : bare.slice(0, slash))
  const path = slash < 0 ? '' : bare.slice(slash + 1).replace(/\/$/, '')
  const isUrl = bare !== key
  return {host, path: isUrl || path === 'v1' || path === 'v2' ? '' : path}
}

/** Returns the keys that may hold a repository's credential, the most specific first: `h/a/b`, `h/a`, `h`. */
export function keysFor(host: string, repository: string | undefined): readonly RegistryKey[] {
  const canonical = canonicalRegistry(host)
  const parts = repository?.split('/') ?? []
  const paths = parts.map((_part, index) => parts.slice(0, parts.length - index).join('/'))
  return [...paths, ''].map((path) => ({host: canonical, path}))
}
