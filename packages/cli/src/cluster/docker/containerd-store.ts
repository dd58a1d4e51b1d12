import {posix} from 'node:path'
import {hostsOfRegistry} from '../containerd/host-directory.js'
import type {RegistryHost} from '../containerd/registry-host.js'
import {requestsOver} from '../containerd/requests.js'
import type {Answer, Question} from '../explanation.js'
import type {NodeFiles} from '../files/node-files.js'
import {parseGoUrl} from '../go-url.js'
import type {DaemonJson} from './daemon-json.js'
import {isInsecureRegistry} from './insecure-registries.js'

const CERTS_D = '/etc/docker/certs.d'

/** dockerd with the image store of containerd: hosts.toml counts, and `registry-mirrors` only if it gives one host. */
export function explainContainerdStore(
  question: Question,
  {daemon, files}: {readonly daemon: DaemonJson; readonly files: NodeFiles},
): Answer {
  const {registry} = question.reference
  const list = hostsOfRegistry(registry, {
    roots: [CERTS_D],
    files,
    knowsReferrers: true,
    needsHostTable: false,
  })
  const assumed = [
    'docker with the image store of containerd, the default of new installations since Docker 29',
    ...list.assumed,
  ]
  if (list.message !== undefined)
    return {assumed, outcome: 'error', message: list.message, tries: [], warnings: list.warnings}
  const [only] = list.hosts
  const isMerged = list.hosts.length === 1 && only !== undefined
  const hosts = isMerged ? withDaemonSettings(only, {registry, daemon}) : list.hosts
  const {mirrors, path} = daemon
  const requests = requestsOver(hosts, {reference: question.reference, credentialFor: () => undefined})
  const lost =
    mirrors.length === 0 || (isMerged && registry === 'docker.io')
      ? []
      : [
          `registry-mirrors in ${path} is ignored because ${registry === 'docker.io' ? 'hosts.toml names several hosts' : 'it is for docker.io alone'}`,
        ]
  return {...requests, assumed, warnings: [...list.warnings, ...lost, ...requests.warnings]}
}

function withDaemonSettings(
  own: RegistryHost,
  {registry, daemon}: {readonly registry: string; readonly daemon: DaemonJson},
): readonly RegistryHost[] {
  const mirrors = registry === 'docker.io' ? daemon.mirrors : []
  const hosts = mirrors.flatMap(({value, line}, index): readonly RegistryHost[] => {
    const url = parseGoUrl(value)
    if (url === undefined) return []
    const path = url.path.replace(/\/$/, '')
    return [
      {
        ...own,
        scheme: url.scheme,
        host: url.host,
        path: path.endsWith('/v2') ? path : posix.join('/', path, '/v2'),
        source: `${daemon.path}:${line} registry-mirrors ${index + 1}`,
      },
    ]
  })
  return [...hosts, own].flatMap((host) => withHttp(host, daemon))
}

/** An insecure registry is asked without verification, and over http after a TLS error. */
function withHttp(host: RegistryHost, daemon: DaemonJson): readonly RegistryHost[] {
  if (!isInsecureRegistry(host.host, daemon)) return [host]
  const rule = `${host.source}; it is an insecure registry`
  // over http with a TLS setting, https comes first by the rule of containerd
  return [{...host, scheme: 'http', skipVerify: true, source: rule}]
}
