import type {Located} from '../containerd/cri-settings.js'
import type {CriSettings} from '../containerd/cri-settings.js'
import {legacyHosts} from '../containerd/legacy-mirrors.js'
import {requestsOver, type NodeCredential} from '../containerd/requests.js'
import type {Answer, Question} from '../explanation.js'
import type {NodeFiles} from '../files/node-files.js'
import {parseGoUrl} from '../go-url.js'
import {findDocuments} from '../yaml/find-documents.js'
import {textOf, valueAt, type YamlNode} from '../yaml/yaml-node.js'

/** Words by which a cluster file of bmctl is known. */
export const BMCTL_WORDS = /^\s*(?:registryMirrors|gcrKeyPath):/m

interface BmctlMirror {
  readonly endpoint: Located<string>
  readonly hosts: readonly string[]
  readonly ca?: string
  readonly credentials?: Located<string>
}

/** Google Distributed Cloud on bare metal: the nodes that bmctl sets up from a cluster file. */
export function explainBmctl(question: Question, files: NodeFiles): Answer {
  const {documents, faults} = findDocuments(files, BMCTL_WORDS)
  const [fault] = faults
  if (fault !== undefined) return failed(`error parsing the cluster file: ${fault}`)
  const header = documents.find(({index, node}) => index === 0 && valueAt(node, 'kind') === undefined)
  const mirrors = header === undefined ? [] : mirrorsOf(valueAt(header.node, 'registryMirrors'), header.path)
  const misplaced = documents
    .filter((document) => document !== header && valueAt(document.node, 'registryMirrors') !== undefined)
    .map(
      ({path, node}) =>
        `registryMirrors in ${path}:${valueAt(node, 'registryMirrors')?.line ?? 0} is ignored because it has to stand before the first ---; the public registry is asked`,
    )
  const unusable = mirrors.find(({endpoint}) => endpoint.value === '')
  if (unusable !== undefined) return failed(`registryMirrors: endpoint is missing (${unusable.endpoint.at})`)
  const {registry} = question.reference
  const mirrored = new Map(
    ['gcr.io', ...mirrors.flatMap(({hosts}) => hosts)].map((host) => [
      host,
      mirrors.filter(({hosts}) => host === 'gcr.io' || hosts.includes(host)),
    ]),
  )
  const key = textOf(valueAt(header?.node, 'gcrKeyPath'))
  const settings = settingsOf(mirrored, mirrors)
  const list = legacyHosts(registry, {settings, version: {major: 1, minor: 7}})
  if (list.message !== undefined) return failed(list.message)
  const requests = requestsOver(list.hosts, {
    reference: question.reference,
    credentialFor: (host) => credential(host, {mirrors, key}),
  })
  return {
    ...requests,
    assumed: [
      'the nodes get the deprecated registry.mirrors of containerd, as the documents of bmctl show it',
      'certificates and credentials are copied to the nodes from the paths in the cluster file',
    ],
    warnings: [
      ...(documents.length === 0 ? ['the files hold no cluster file of bmctl with registryMirrors'] : []),
      ...misplaced,
      ...endpointWarnings(mirrors),
      ...fallbackWarnings(registry, mirrored),
      ...requests.warnings,
    ],
  }
}

function mirrorsOf(node: YamlNode | undefined, path: string): readonly BmctlMirror[] {
  if (node?.kind !== 'list') return []
  return node.items.map((item) => {
    const endpoint = valueAt(item, 'endpoint')
    const hosts = valueAt(item, 'hosts')
    const ca = textOf(valueAt(item, 'caCertPath'))
    const credentials = valueAt(item, 'pullCredentialConfigPath')
    const credentialsPath = textOf(credentials)
    return {
      endpoint: {value: textOf(endpoint) ?? '', at: `${path}:${endpoint?.line ?? item.line}`},
      hosts: hosts?.kind === 'list' ? hosts.items.flatMap((host) => textOf(host) ?? []) : [],
      ca: ca === undefined || ca === '' ? undefined : ca,
      credentials:
        credentialsPath === undefined || credentialsPath === ''
          ? undefined
          : {value: credentialsPath, at: `${path}:${credentials?.line ?? item.line}`},
    }
  })
}

function settingsOf(
  mirrored: ReadonlyMap<string, readonly BmctlMirror[]>,
  mirrors: readonly BmctlMirror[],
): CriSettings {
  return {
    mirrors: new Map(
      [...mirrored]
        .filter(([, own]) => own.length > 0)
        .map(([host, own]) => [
          host,
          {endpoints: own.map(({endpoint}) => endpoint), at: own[0]?.endpoint.at ?? ''},
        ]),
    ),
    auths: new Map(),
    tls: new Map(
      mirrors.flatMap(({endpoint, ca}) => {
        const host = parseGoUrl(endpoint.value)?.host
        return host === undefined || ca === undefined
          ? []
          : [[host, {ca, client: [], skipVerify: false, at: endpoint.at}]]
      }),
    ),
    hasConfigs: true,
  }
}

function credential(
  host: string,
  {mirrors, key}: {readonly mirrors: readonly BmctlMirror[]; readonly key: string | undefined},
): NodeCredential | undefined {
  const own = mirrors.find(
    ({endpoint, credentials}) => credentials !== undefined && parseGoUrl(endpoint.value)?.host === host,
  )
  if (own?.credentials !== undefined)
    return {kind: 'basic', source: `${own.credentials.value} (${own.credentials.at})`}
  return host === 'gcr.io' && key !== undefined ? {kind: 'basic', source: `gcrKeyPath ${key}`} : undefined
}

function endpointWarnings(mirrors: readonly BmctlMirror[]): readonly string[] {
  return mirrors.flatMap(({endpoint}) => {
    const url = parseGoUrl(endpoint.value)
    const path = url?.path ?? ''
    return [
      ...(path !== '' && !/^\/v2(?:\/|$)/.test(path)
        ? [
            `${endpoint.at}: the path of ${endpoint.value} is used as it is: without /v2 at its start the registry does not understand it`,
          ]
        : []),
      ...(url?.scheme === 'http'
        ? [`${endpoint.at}: ${endpoint.value} is plain HTTP: credentials and images can be read on the way`]
        : []),
    ]
  })
}

function fallbackWarnings(
  registry: string,
  mirrored: ReadonlyMap<string, readonly BmctlMirror[]>,
): readonly string[] {
  const own = mirrored.get(registry)
  if (own !== undefined && own.length > 0)
    return [
      `bmctl has no setting that keeps nodes from asking ${registry} for what the mirror lacks: only the network can`,
    ]
  return [`no registryMirrors entry names ${registry} in its hosts; the registry of the image is asked`]
}

function failed(message: string): Answer {
  return {
    assumed: [],
    outcome: 'error',
    message,
    tries: [],
    warnings: ['bmctl refuses this cluster file: no node is changed by it'],
  }
}
