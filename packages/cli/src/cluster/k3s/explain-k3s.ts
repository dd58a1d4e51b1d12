import {
  certificateFault,
  NO_TLS,
  ownHost,
  unseenCertificates,
  type HostTls,
  type RegistryHost,
} from '../containerd/registry-host.js'
import {requestsOver, type NodeCredential} from '../containerd/requests.js'
import type {Answer, Question} from '../explanation.js'
import type {NodeFiles} from '../files/node-files.js'
import {hostConfigs, type Endpoint, type HostConfig} from './host-configs.js'
import {readRegistriesYaml, type ConfigEntry, type RegistriesYaml} from './registries-yaml.js'
import {readServiceSettings, type ServiceSettings} from './service-settings.js'
import {settingsWarnings} from './settings-warnings.js'

interface Prepared {
  readonly files: NodeFiles
  readonly program: 'k3s' | 'rke2'
  readonly service: ServiceSettings
  readonly registries: RegistriesYaml
  readonly configs: ReturnType<typeof hostConfigs>
  readonly hasFile: boolean
}

/** K3s or RKE2: images that the kubelet pulls through their containerd. The files are read once. */
export function rancherReader(program: 'k3s' | 'rke2'): (files: NodeFiles) => (question: Question) => Answer {
  return (files) => {
    const service = readServiceSettings(program, files)
    if (service.message !== undefined) return always(stopped(service.message, program))
    const text = files.text(service.registriesPath)
    const read = readRegistriesYaml(text ?? '', service.registriesPath)
    if (read.message !== undefined) return always(stopped(read.message, program))
    const {registries} = read
    const cutsDefault = service.cutsDefault !== undefined
    const configs = hostConfigs(registries, {path: service.registriesPath, cutsDefault})
    const prepared = {files, program, service, registries, configs, hasFile: text !== undefined}
    return (question) => explainRegistriesYaml(question, prepared)
  }
}

function always(answer: Answer): () => Answer {
  return () => answer
}

function explainRegistriesYaml(
  question: Question,
  {files, program, service, registries, configs: {hosts, warnings}, hasFile}: Prepared,
): Answer {
  const {registry} = question.reference
  const key = hosts.has(registry) ? registry : '*'
  const list = hostsIn(hosts.get(key), {registry, registries})
  const notes = [
    ...(!hasFile ? [`there is no ${service.registriesPath}: every image comes from its own registry`] : []),
    ...registries.ignored,
    ...warnings,
    ...settingsWarnings(registry, {registries, hosts, service}),
  ]
  const message = list.map((host) => certificateFault(host, files)).find((found) => found !== undefined)
  if (message !== undefined)
    return {
      assumed: [],
      outcome: 'error',
      message,
      tries: [],
      warnings: [...notes, `no image of ${registry} can be pulled`],
    }
  const credentialFor = (host: string): NodeCredential | undefined => credential(host, registries, service)
  const requests = requestsOver(list, {reference: question.reference, credentialFor})
  const unseen = [...new Set(list.flatMap((host) => unseenCertificates(host, files)))]
  return {
    ...requests,
    assumed: [
      ...assumptions(program, service),
      ...unseen.map((path) => `${path} is on the node; it is not among the given files`),
    ],
    warnings: [...notes, ...requests.warnings],
  }
}

interface ListOptions {
  readonly registry: string
  readonly registries: RegistriesYaml
}

function hostsIn(
  config: HostConfig | undefined,
  {registry, registries}: ListOptions,
): readonly RegistryHost[] {
  if (config === undefined)
    return [ownHost(registry, {...NO_TLS, source: `no entry for ${registry}: its default endpoint`})]
  const {endpoints, fallback} = config
  const lostTls = registries.configs.get('*')?.tls !== undefined
  const hosts = endpoints.map((endpoint) => registryHost(endpoint, {lostTls}))
  if (fallback === undefined) return hosts
  if ('own' in fallback) {
    const source = `the default endpoint of ${registry}`
    return [...hosts, ownHost(registry, {...tlsOf(fallback.config), source})]
  }
  // the file for containerd has no rewrites for the default endpoint
  return [...hosts, registryHost({...fallback, rewrites: []}, {lostTls: false})]
}

function registryHost(endpoint: Endpoint, {lostTls}: {readonly lostTls: boolean}): RegistryHost {
  const {scheme, host, path, config, rewrites, source} = endpoint
  return {
    scheme,
    host,
    path,
    canPull: true,
    canResolve: true,
    ...tlsOf(config),
    source,
    rewrites,
    expectsTlsError: lostTls && scheme === 'https' && config?.tls === undefined,
  }
}

/** An `insecure_skip_verify: false` leaves no line in hosts.toml. */
function tlsOf(config: ConfigEntry | undefined): HostTls {
  const tls = config?.tls
  if (tls === undefined) return NO_TLS
  return {
    ...NO_TLS,
    ca: tls.ca === undefined ? [] : [tls.ca],
    client: tls.client.length === 0 ? [] : [tls.client],
    skipVerify: tls.skipVerify || undefined,
  }
}

/** Credentials lie in config.toml under the keys of registries.yaml; containerd looks for the host that it contacts. */
function credential(
  host: string,
  {configs}: RegistriesYaml,
  {registriesPath}: ServiceSettings,
): NodeCredential | undefined {
  const auth = configs.get(host)?.auth
  return auth === undefined || auth.kind === 'invalid'
    ? undefined
    : {kind: auth.kind, login: auth.login, source: `${registriesPath}:${auth.line} configs."${host}".auth`}
}

function assumptions(program: 'k3s' | 'rke2', {cutsDefault, embedded}: ServiceSettings): readonly string[] {
  return [
    'the kubelet pulls the image with the containerd that the service brings along',
    ...(program === 'rke2'
      ? [
          'it is not an image that rke2 pulls by itself before containerd runs, such as its runtime: for those other rules hold',
        ]
      : []),
    ...(cutsDefault === undefined
      ? ['disable-default-registry-endpoint is not given on the command line of the service']
      : []),
    ...(embedded === undefined
      ? []
      : [
          `no other node has the image: the embedded registry (${embedded}) is asked first and is not listed`,
        ]),
  ]
}

function stopped(message: string, program: string): Answer {
  return {
    assumed: [],
    outcome: 'error',
    message,
    tries: [],
    warnings: [`the ${program} service does not start with these files: no image can be pulled on this node`],
  }
}
