import {isLoopback, parseGoUrl} from '../go-url.js'
import type {Version} from '../explanation.js'
import type {CriSettings, Located} from './cri-settings.js'
import {NO_TLS, type RegistryHost} from './registry-host.js'

/**
 * The hosts by the deprecated `registry.mirrors`: the endpoints with their paths as they are, then the registry of the
 * image, which no setting removes.
 */
export function legacyHosts(
  registry: string,
  {settings, version}: {readonly settings: CriSettings; readonly version: Version},
): {
  readonly hosts: readonly RegistryHost[]
  readonly message?: string
  readonly warnings: readonly string[]
} {
  const key = settings.mirrors.has(registry) ? registry : '*'
  const endpoints = settings.mirrors.get(key)?.endpoints ?? []
  const hosts: RegistryHost[] = []
  for (const [index, endpoint] of endpoints.entries()) {
    const host = endpointHost(endpoint, `registry.mirrors."${key}" endpoint ${index + 1}`)
    if (host === undefined)
      return {
        hosts: [],
        message: `get registry endpoints: parse endpoint url: ${endpoint.value} (${endpoint.at})`,
        warnings: [],
      }
    hosts.push(host)
  }
  if (!hosts.some(({host}) => host === registry))
    hosts.push(defaultEndpoint(registry, settings.mirrors.size > 0))
  return {
    hosts: hosts.map((host) => (version.major < 2 ? withTls(host, settings) : withoutTls(host, settings))),
    warnings: deadTls(hosts, {settings, version}),
  }
}

function endpointHost({value, at}: Located<string>, rule: string): RegistryHost | undefined {
  const bareHost = value.replace(/\/.*$/, '')
  const url = parseGoUrl(
    value.includes('://') ? value : `${isLoopback(bareHost) ? 'http' : 'https'}://${value}`,
  )
  if (url === undefined) return undefined
  const path = url.path === '' ? '/v2' : url.path
  return {
    scheme: url.scheme,
    host: url.host,
    path,
    canPull: true,
    canResolve: true,
    ...NO_TLS,
    source: `${at} ${rule}`,
  }
}

function defaultEndpoint(registry: string, hasMirrors: boolean): RegistryHost {
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
  return {
    scheme: isLoopback(host) ? 'http' : 'https',
    host,
    path: '/v2',
    canPull: true,
    canResolve: true,
    ...NO_TLS,
    source: hasMirrors
      ? 'the registry of the image, always asked last'
      : 'the registry of the image: no mirror is configured',
  }
}

function withTls(host: RegistryHost, {tls}: CriSettings): RegistryHost {
  const own = tls.get(host.host)
  // the deprecated form never tries https for an http endpoint
  if (own === undefined || host.scheme !== 'https') return host
  return {
    ...host,
    ca: own.ca === undefined ? [] : [own.ca],
    client: own.client.length === 0 ? [] : [own.client],
    skipVerify: own.skipVerify || undefined,
  }
}

/** containerd 2 has no table for TLS: a certificate that needed it is not trusted. */
function withoutTls(host: RegistryHost, {tls}: CriSettings): RegistryHost {
  return tls.has(host.host) && host.scheme === 'https' ? {...host, expectsTlsError: true} : host
}

function deadTls(
  hosts: readonly RegistryHost[],
  {settings, version}: {readonly settings: CriSettings; readonly version: Version},
): readonly string[] {
  if (version.major < 2) return []
  return hosts.flatMap(({host}) => {
    const tls = settings.tls.get(host)
    return tls === undefined
      ? []
      : [
          `registry.configs."${host}".tls at ${tls.at} is ignored because containerd 2 has no such table: a private certificate of ${host} is not trusted, and the next host is asked`,
        ]
  })
}
