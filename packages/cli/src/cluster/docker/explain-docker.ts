import type {Answer, Question, Try} from '../explanation.js'
import {fileNamesIn, type NodeFiles} from '../files/node-files.js'
import {parseGoUrl, splitHostPort} from '../go-url.js'
import {manifestPath} from '../names.js'
import {isPublicHost} from '../public-registry.js'
import {explainContainerdStore} from './containerd-store.js'
import {readDaemonJson, type DaemonJson} from './daemon-json.js'
import {isInsecureRegistry, mayBeInsecure} from './insecure-registries.js'

/** dockerd: by default with its own image store, where `registry-mirrors` is for Docker Hub alone and Docker Hub always last. */
export function explainDocker(question: Question, files: NodeFiles): Answer {
  const read = readDaemonJson(files)
  if ('message' in read) {
    return {
      assumed: [],
      outcome: 'error',
      message: read.message,
      tries: [],
      warnings: [`dockerd does not start: no image can be pulled, and running containers cannot be managed`],
    }
  }
  const {daemon} = read
  if (daemon.usesContainerd ?? (question.version?.major ?? 0) >= 29)
    return explainContainerdStore(question, {daemon, files})
  const {registry} = question.reference
  const hosts = registry === 'docker.io' ? hubEndpoints(daemon) : ownEndpoints(registry, daemon)
  return {
    assumed: ['docker with its own image store, not the one of containerd'],
    outcome: 'tries-all',
    tries: hosts.map((host) => tryOf(host, {question, daemon, files})),
    warnings: warningsOf(registry, daemon),
  }
}

interface Endpoint {
  readonly base: string
  readonly host: string
  readonly source: string
  readonly isOwn: boolean
  readonly only?: 'tls-error'
}

function hubEndpoints({mirrors, path}: DaemonJson): readonly Endpoint[] {
  const normal = mirrors.map(({value, line}) => ({base: value.replace(/\/$/, ''), line}))
  const distinct = normal.filter(({base}, index) => normal.findIndex((one) => one.base === base) === index)
  return [
    ...distinct.map(({base, line}, index) => ({
      base,
      host: parseGoUrl(base)?.host ?? '',
      source: `${path}:${line} registry-mirrors ${index + 1}; /v2 follows the path`,
      isOwn: false,
    })),
    {
      base: 'https://registry-1.docker.io',
      host: 'registry-1.docker.io',
      source: 'Docker Hub, always asked last',
      isOwn: true,
    },
  ]
}

function ownEndpoints(registry: string, daemon: DaemonJson): readonly Endpoint[] {
  const source = 'the registry of the image'
  if (!isInsecureRegistry(registry, daemon))
    return [{base: `https://${registry}`, host: registry, source, isOwn: true}]
  const rule = `${source}; it is an insecure registry`
  return [
    {
      base: `https://${registry}`,
      host: registry,
      source: `${rule}: https first`,
      isOwn: true,
      only: 'tls-error',
    },
    {base: `http://${registry}`, host: registry, source: rule, isOwn: true},
  ]
}

function tryOf(
  endpoint: Endpoint,
  {
    question,
    daemon,
    files,
  }: {readonly question: Question; readonly daemon: DaemonJson; readonly files: NodeFiles},
): Try {
  const {base, host, source, isOwn, only} = endpoint
  const skipVerify = isInsecureRegistry(host, daemon)
  const directory = `/etc/docker/certs.d/${host}`
  const isHub = host === 'registry-1.docker.io' && isOwn
  const ca =
    skipVerify || isHub || base.startsWith('http:')
      ? []
      : fileNamesIn(files, directory)
          .filter((name) => name.endsWith('.crt'))
          .map((name) => `${directory}/${name}`)
  return {
    url: `${base}/v2/${manifestPath(question.reference)}`,
    source,
    ca: ca.length === 0 ? undefined : ca.join(', '),
    auth: 'none',
    skipVerify,
    public: isPublicHost(host, {isOwn}),
    only,
  }
}

function warningsOf(registry: string, daemon: DaemonJson): readonly string[] {
  const {mirrors, path} = daemon
  const unused = mirrors.length > 0 && registry !== 'docker.io'
  return [
    ...(unused ? [`registry-mirrors in ${path} is not used for ${registry}: it is for docker.io alone`] : []),
    ...(mirrors.length > 0 && registry === 'docker.io'
      ? ['dockerd always asks Docker Hub after its mirrors; no setting of dockerd prevents that']
      : []),
    ...(mayBeInsecure(registry, daemon) && !isInsecureRegistry(registry, daemon)
      ? [
          `insecure-registries in ${path} has a network: if ${splitHostPort(registry).name} has an address in it, https is not verified and http follows`,
        ]
      : []),
  ]
}
