import {answerOr} from '../containers/answer-or.js'
import {findLogin, type FoundLogin} from '../containers/auth-files.js'
import {explainNames} from '../containers/explain-names.js'
import {hostCertificates, type HostCertificates} from '../containers/host-certificates.js'
import type {ImageName} from '../containers/image-name.js'
import {resolveShortName, withoutTag, withVersion} from '../containers/resolve-short-name.js'
import type {Setup} from '../containers/setup.js'
import type {Answer, Question} from '../explanation.js'
import {memoryFiles} from '../files/memory-files.js'
import type {NodeFiles} from '../files/node-files.js'
import {textOf, valueAt} from '../yaml/yaml-node.js'
import {trustedHosts} from './image-config.js'
import {ofKind, readManifests, type Manifest} from './manifests.js'
import {renderCluster} from './render-cluster.js'

const LOGINS = '/var/lib/kubelet/config.json'

interface Prepared {
  readonly setup: Setup
  readonly assumed: readonly string[]
  readonly warnings: readonly string[]
}

/** The way in which the nodes of an OpenShift cluster would pull a name, once the manifests in the files are applied. */
export function openshiftReader(files: NodeFiles): (question: Question) => Answer {
  const prepared = answerOr(() => prepare(files), {
    assumed: [],
    advice: 'the Machine Config Operator renders nothing: nodes keep the configuration that they had',
  })
  if ('outcome' in prepared) return () => prepared
  const {setup, assumed} = prepared
  return ({typed}) =>
    answerOr(
      () => {
        const candidates = resolveShortName(typed, {registries: setup.registries, mode: 'disabled'})
        const names = candidates.names.map((name) => withVersion(withoutTag(name)))
        return explainNames({...candidates, names}, prepared)
      },
      {assumed},
    )
}

function prepare(files: NodeFiles): Prepared {
  const {manifests, warnings} = readManifests(files)
  const {registries, policy, imageConfig, assumed} = renderCluster(manifests, files)
  const trusted = trustedHosts(manifests, imageConfig)
  const setup: Setup = {
    registries,
    policy: {policy, path: '/etc/containers/policy.json'},
    certificates: (host) => certificatesFor(host, {files, trusted}),
    login: pullSecret(manifests, files),
  }
  return {setup, assumed, warnings: [...warnings, ...registries.warnings]}
}

function certificatesFor(
  host: string,
  {files, trusted}: {readonly files: NodeFiles; readonly trusted: ReadonlyMap<string, string>},
): HostCertificates {
  const path = trusted.get(host)
  if (path !== undefined) return {ca: [path]}
  return hostCertificates(host, {files, roots: ['/etc/containers/certs.d', '/etc/docker/certs.d']})
}

/** The global pull secret: the only login that reaches a mirror. */
function pullSecret(manifests: readonly Manifest[], files: NodeFiles): (name: ImageName) => FoundLogin {
  const secret = ofKind(manifests, 'Secret').find(
    ({name, namespace}) => name === 'pull-secret' && (namespace === 'openshift-config' || namespace === ''),
  )
  const encoded = textOf(valueAt(secret?.node, 'data', '.dockerconfigjson'))
  const plain = textOf(valueAt(secret?.node, 'stringData', '.dockerconfigjson'))
  const text =
    plain ?? (encoded === undefined ? files.text(LOGINS) : Buffer.from(encoded, 'base64').toString())
  const source = memoryFiles(new Map(text === undefined ? [] : [[LOGINS, text]]))
  return (name) => findLogin(name, {files: source, authFiles: [{path: LOGINS}]})
}
