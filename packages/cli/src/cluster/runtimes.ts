import {explainContainerd, explainCtr} from './containerd/explain-containerd.js'
import {explainContainers} from './containers/explain-containers.js'
import {explainDocker} from './docker/explain-docker.js'
import type {Explain} from './explanation.js'
import type {NodeFiles} from './files/node-files.js'
import {explainOpenshift} from './openshift/explain-openshift.js'
import {mirrorManifest} from './openshift/manifests.js'

export interface Runtime {
  readonly name: string
  readonly explain: Explain
  /** The file that shows that a node has this runtime; absent if none does. */
  readonly evidence: (files: NodeFiles) => string | undefined
}

const CONTAINERS_FILE = /\/(?:etc|\.config)\/containers\/(?:registries\.conf|policy\.json)/

/** Every runtime that can be explained. Without `--as`, the first with evidence is taken. */
export const runtimes: readonly Runtime[] = [
  {name: 'openshift', explain: explainOpenshift, evidence: mirrorManifest},
  {
    name: 'containerd',
    explain: explainContainerd,
    evidence: (files) => files.paths.find((path) => path.startsWith('/etc/containerd/')),
  },
  {
    name: 'crio',
    explain: (question, files) => explainContainers(question, {files, runtime: 'crio'}),
    evidence: (files) => files.paths.find((path) => path.startsWith('/etc/crio/')),
  },
  {
    name: 'podman',
    explain: (question, files) => explainContainers(question, {files, runtime: 'podman'}),
    evidence: (files) => files.paths.find((path) => CONTAINERS_FILE.test(path)),
  },
  {
    name: 'docker',
    explain: explainDocker,
    evidence: (files) => files.paths.find((path) => path.startsWith('/etc/docker/')),
  },
  {name: 'ctr', explain: explainCtr, evidence: () => undefined},
  {
    name: 'skopeo',
    explain: (question, files) => explainContainers(question, {files, runtime: 'skopeo'}),
    evidence: () => undefined,
  },
]
