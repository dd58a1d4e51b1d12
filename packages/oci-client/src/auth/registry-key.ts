import {canonicalRegistry} from '../model/index.js'

/** What a key of a credential file speaks of: a registry, and for podman's keys a part of its paths. */
export interface RegistryKey {
  /** `host[:port]` in lower case; Docker Hub's many names are `docker.io`. */
  readonly host: string
  /** Empty for the whole registry. */
  readonly path: string
}

/** The name under which docker keeps its login to Docker Hub, in files and in helpers. */
export const HUB_KEY = 'https://index.docker.io/v1/'

/**
 * Reads a key as docker and podman write them: `host:port`, `https://host/v1/` (an old API path, of no meaning),
 * `host/namespace/repository` (containers-auth.json.5).
 */
export function parseRegistryKey(key: string): RegistryKey {
  const bare = key.replace(/^https?:\/\//i, '')
  const slash = bare.indexOf('/')
  const host = canonicalRegistry(slash < 0 ? bare : bare.slice(0, slash))
  const path = slash < 0 ? '' : bare.slice(slash + 1).replace(/\/$/, '')
  const isUrl = bare !== key
  return {host, path: isUrl || path === 'v1' || path === 'v2' ? '' : path}
}

/** The keys that may hold a repository's credential, the most particular first: `h/a/b`, `h/a`, `h`. */
export function keysFor(host: string, repository: string | undefined): readonly RegistryKey[] {
  const canonical = canonicalRegistry(host)
  const parts = repository?.split('/') ?? []
  const paths = parts.map((_part, index) => parts.slice(0, parts.length - index).join('/'))
  return [...paths, ''].map((path) => ({host: canonical, path}))
}
