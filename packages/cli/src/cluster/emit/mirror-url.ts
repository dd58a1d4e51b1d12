import type {RegistryAccess} from './emission.js'

/**
 * The URL of a mirror whose repositories are below `base`. With a base it is the API root, `/v2` included: runtimes must
 * be told to append nothing.
 */
export function mirrorUrl({registry, plainHttp}: RegistryAccess, base: string): string {
  const origin = `${plainHttp ? 'http' : 'https'}://${registry}`
  return base === '' ? origin : `${origin}/v2/${base}`
}

export function mirrorName({registry}: RegistryAccess, path: string): string {
  return path === '' ? registry : `${registry}/${path}`
}

/** A basic string of TOML; JSON's escapes are all TOML's. */
export function tomlString(text: string): string {
  return JSON.stringify(text)
}
