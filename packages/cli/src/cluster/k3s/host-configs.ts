import {isLoopback, parseGoUrl, splitHostPort} from '../go-url.js'
import type {ConfigEntry, RegistriesYaml} from './registries-yaml.js'

export interface Endpoint {
  readonly scheme: string
  readonly host: string
  /** The API root; as it is written unless it is empty, `/` or `/v2`. */
  readonly path: string
  readonly config?: ConfigEntry
  readonly rewrites: readonly (readonly [string, string])[]
  readonly source: string
}

/** The content of one hosts.toml that the service writes. */
export interface HostConfig {
  readonly endpoints: readonly Endpoint[]
  /** `own` is the registry of the image, whichever it is; absent if there is no default endpoint. */
  readonly fallback: Endpoint | {readonly own: true; readonly config?: ConfigEntry} | undefined
}

export interface HostConfigs {
  /** By registry, and `*`. */
  readonly hosts: ReadonlyMap<string, HostConfig>
  readonly warnings: readonly string[]
}

/** The files that K3s and RKE2 write for containerd out of registries.yaml. */
export function hostConfigs(
  {mirrors, configs}: RegistriesYaml,
  {path, cutsDefault}: {readonly path: string; readonly cutsDefault: boolean},
): HostConfigs {
  const hosts = new Map<string, HostConfig>()
  const warnings: string[] = []
  for (const [key, config] of configs) {
    const own = key === '*' ? {own: true as const, config} : defaultEndpoint(key, config)
    if (own !== undefined) hosts.set(key, {endpoints: [], fallback: own})
  }
  for (const [key, mirror] of mirrors) {
    const configured = key === '*' ? undefined : hosts.get(key)
    let fallback = configured?.fallback ?? freshFallback(key, {configs, cutsDefault})
    const endpoints: Endpoint[] = []
    const seen = new Set<string>()
    for (const [index, {value, line}] of mirror.endpoints.entries()) {
      const address = endpointAddress(value)
      const at = `${path}:${line}`
      if (address === undefined) {
        warnings.push(`${at}: the endpoint ${value} is ignored because it is not a URL`)
        continue
      }
      const url = urlOf(address)
      if (seen.has(url)) {
        warnings.push(`${at}: the endpoint ${value} is ignored because the same URL comes before it`)
        continue
      }
      seen.add(url)
      const config = configFor(configs, address.host)
      const source = `${at} mirrors."${key}" endpoint ${index + 1}`
      const isLast = index === mirror.endpoints.length - 1
      if (isLast && fallback !== undefined && !('own' in fallback) && urlOf(fallback) === url) {
        if (mirror.rewrites.length > 0)
          warnings.push(
            `${at}: the rewrites do not count for ${value} because it is the default endpoint of ${key}`,
          )
        fallback = {
          ...address,
          config,
          rewrites: mirror.rewrites,
          source: `${source}, which is the default endpoint`,
        }
      } else {
        endpoints.push({...address, config, rewrites: mirror.rewrites, source})
      }
    }
    hosts.set(key, {endpoints, fallback})
  }
  for (const [key, {endpoints, fallback}] of hosts) {
    const {auth, tls} = fallback?.config ?? {}
    const hasRewrites = fallback !== undefined && !('own' in fallback) && fallback.rewrites.length > 0
    if (endpoints.length === 0 && auth === undefined && tls === undefined && !hasRewrites) hosts.delete(key)
  }
  return {hosts, warnings}
}

function freshFallback(
  key: string,
  {configs, cutsDefault}: {readonly configs: RegistriesYaml['configs']; readonly cutsDefault: boolean},
): HostConfig['fallback'] {
  if (cutsDefault) return undefined
  // the settings of configs."*" are lost here: k3s-io/k3s#11352
  return key === '*' ? {own: true} : defaultEndpoint(key, configFor(configs, key))
}

function defaultEndpoint(key: string, config: ConfigEntry | undefined): Endpoint | undefined {
  const address = endpointAddress(key)
  return address === undefined
    ? undefined
    : {...address, config, rewrites: [], source: `the default endpoint of ${key}`}
}

/** Settings by host and port, exactly; those of docker.io may also stand under registry-1.docker.io. */
function configFor(configs: RegistriesYaml['configs'], host: string): ConfigEntry | undefined {
  const isHub = host === 'docker.io' || host === 'registry-1.docker.io'
  return isHub ? (configs.get('registry-1.docker.io') ?? configs.get('docker.io')) : configs.get(host)
}

/** An endpoint as the service normalises it. Absent if it is not a URL. */
function endpointAddress(text: string): Pick<Endpoint, 'scheme' | 'host' | 'path'> | undefined {
  const bareHost = text.replace(/[/?#].*$/, '')
  const {port} = splitHostPort(bareHost)
  const isPlain = isLoopback(bareHost) && port !== undefined && port !== '443'
  const url = parseGoUrl(text.includes('://') ? text : `${isPlain ? 'http' : 'https'}://${text}`)
  if (url === undefined) return undefined
  const host = url.host === 'docker.io' ? 'registry-1.docker.io' : url.host
  const isDefaultPath = url.path === '' || url.path === '/' || url.path === '/v2'
  return {scheme: url.scheme, host, path: isDefaultPath ? '/v2' : url.path}
}

function urlOf({scheme, host, path}: Pick<Endpoint, 'scheme' | 'host' | 'path'>): string {
  return `${scheme}://${host}${path}`
}
