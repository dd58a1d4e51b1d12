import {hostAddress} from '../containerd/host-address.js'
import {NO_TLS, ownHost, type HostTls, type RegistryHost} from '../containerd/registry-host.js'
import {requestsOver, type NodeCredential} from '../containerd/requests.js'
import type {Answer, Question} from '../explanation.js'
import type {NodeFiles} from '../files/node-files.js'
import {parseGoUrl} from '../go-url.js'
import {findDocuments} from '../yaml/find-documents.js'
import {
  readTalosRegistries,
  TALOS_WORDS,
  type TalosEndpoint,
  type TalosRegistries,
} from './talos-registries.js'

const HOSTS = '/etc/cri/conf.d/hosts'

/** Talos: images of pods, by the hosts.toml files that Talos writes for containerd. */
export function explainTalos(question: Question, files: NodeFiles): Answer {
  const {documents, faults} = findDocuments(files, TALOS_WORDS)
  const registries = readTalosRegistries(documents)
  const [message] = [...faults, ...registries.faults, ...endpointFaults(registries)]
  if (message !== undefined) {
    return {
      assumed: [],
      outcome: 'error',
      message,
      tries: [],
      warnings: [
        'Talos refuses this configuration: the registries of the whole machine stay as they were, or are missing',
      ],
    }
  }
  const {registry} = question.reference
  const hosts = hostsOf(registry, registries)
  const requests = requestsOver(hosts, {
    reference: question.reference,
    credentialFor: (host) => credential(host, registries),
  })
  return {
    ...requests,
    assumed: [
      'the image is one of a pod; Talos pulls its own images with a second resolver, which takes the same endpoints',
      'the image cache of Talos is off: it would be asked first',
    ],
    warnings: [
      ...(documents.length === 0 ? ['the files hold no machine configuration of Talos with registries'] : []),
      ...warningsOf(registry, registries),
      ...requests.warnings,
    ],
  }
}

/** A host directory of a registry counts alone; `*` is for registries without one. */
function hostsOf(registry: string, registries: TalosRegistries): readonly RegistryHost[] {
  const tls = registries.tls.get(registry)
  const isConfigured = tls !== undefined && (tls.hasCa || tls.hasClient || tls.skipVerify)
  const key = registries.mirrors.has(registry) || isConfigured ? registry : '*'
  const mirror = registries.mirrors.get(key)
  if (mirror === undefined) {
    if (!isConfigured) return [ownHost(registry, {...NO_TLS, source: `no mirror for ${registry}`})]
    const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
    const base = {scheme: 'https', host, path: '/v2', canPull: true, canResolve: true}
    return [
      {...base, ...tlsFor(registry, {registries, key}), source: `${tls.at} TLS settings of ${registry}`},
    ]
  }
  const hosts = mirror.endpoints
    .map((endpoint) => endpointHost(endpoint, {registries, key}))
    .filter(({host}) => host !== '')
  if (mirror.skipFallback && mirror.endpoints.length > 0) {
    const last = hosts.at(-1)
    return last === undefined
      ? []
      : [...hosts.slice(0, -1), {...last, source: `${last.source}, the last one because of skipFallback`}]
  }
  return [
    ...hosts,
    ownHost(registry, {...NO_TLS, source: `no skipFallback (${mirror.at}): the registry of the image`}),
  ]
}

interface Directory {
  readonly registries: TalosRegistries
  readonly key: string
}

function endpointHost({url, overridePath, source}: TalosEndpoint, directory: Directory): RegistryHost {
  const address = hostAddress(url, {overrides: overridePath}) ?? {scheme: '', host: '', path: ''}
  // Talos finds the settings of an endpoint by the host of its URL, which needs a scheme for that
  const tls = parseGoUrl(url) === undefined ? NO_TLS : tlsFor(address.host, directory)
  return {...address, canPull: true, canResolve: true, ...tls, source}
}

function tlsFor(host: string, {registries, key}: Directory): HostTls {
  const tls = registries.tls.get(host)
  if (tls === undefined) return NO_TLS
  const colon = key.lastIndexOf(':')
  const directory =
    key === '*' ? '_default' : colon > 0 ? `${key.slice(0, colon)}_${key.slice(colon + 1)}_` : key
  const file = (end: string): string => `${HOSTS}/${directory}/${host}-${end}`
  return {
    ...NO_TLS,
    ca: tls.hasCa ? [file('ca.crt')] : [],
    client: tls.hasClient ? [[file('client.crt'), file('client.key')]] : [],
    skipVerify: tls.skipVerify || undefined,
  }
}

function credential(host: string, {auths}: TalosRegistries): NodeCredential | undefined {
  const auth = auths.get(host) ?? (host === 'registry-1.docker.io' ? auths.get('docker.io') : undefined)
  return auth === undefined || auth.kind === 'invalid'
    ? undefined
    : {kind: auth.kind, source: auth.at, login: auth.login}
}

/** Endpoints that Go cannot read as a URL. */
function endpointFaults({mirrors}: TalosRegistries): readonly string[] {
  return [...mirrors].flatMap(([name, {endpoints}]) =>
    endpoints.flatMap(({url}) => {
      const hasScheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.test(url)
      const isUrl = url.includes('://') ? parseGoUrl(url) !== undefined : hasScheme || !/^[^/]*:/.test(url)
      if (isUrl) return []
      const why = url.includes('://')
        ? 'it is not a valid URL'
        : 'first path segment in URL cannot contain colon'
      return [`error parsing endpoint "${url}" for host "${name}": ${why}`]
    }),
  )
}

function warningsOf(registry: string, {mirrors, tls}: TalosRegistries): readonly string[] {
  const mirror = mirrors.get(registry) ?? mirrors.get('*')
  return [
    ...(mirror?.endpoints ?? []).flatMap(({url, source}) => {
      const parsed = parseGoUrl(url)
      if (parsed === undefined)
        return [
          `${source}: the endpoint ${url} has no scheme, so that its TLS settings do not count and Talos cannot use it for its own images`,
        ]
      return parsed.scheme === 'http' && tls.has(parsed.host)
        ? [
            `${source}: there are TLS settings for the http endpoint ${parsed.host}: containerd tries https first, and Talos pulls none of its own images`,
          ]
        : []
    }),
    ...(mirror !== undefined && mirror.skipFallback && mirror.endpoints.length === 0
      ? [
          `skipFallback at ${mirror.at} does nothing because there is no endpoint; the public registry is asked`,
        ]
      : []),
  ]
}
