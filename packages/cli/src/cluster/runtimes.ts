import {BMCTL_WORDS, explainBmctl} from './bmctl/explain-bmctl.js'
import {explainContainerd, explainCtr} from './containerd/explain-containerd.js'
import {explainContainers} from './containers/explain-containers.js'
import {explainDocker} from './docker/explain-docker.js'
import type {Explain} from './explanation.js'
import type {NodeFiles} from './files/node-files.js'
import {explainRancher} from './k3s/explain-k3s.js'
import {explainKind, KIND_WORDS} from './kind/explain-kind.js'
import {explainOpenshift} from './openshift/explain-openshift.js'
import {mirrorManifest} from './openshift/manifests.js'
import {explainTalos} from './talos/explain-talos.js'
import {TALOS_WORDS} from './talos/talos-registries.js'

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
  {name: 'bmctl', explain: explainBmctl, evidence: yamlWith(BMCTL_WORDS)},
  {name: 'kind', explain: explainKind, evidence: yamlWith(KIND_WORDS)},
  {name: 'talos', explain: explainTalos, evidence: yamlWith(TALOS_WORDS)},
  {name: 'k3s', explain: explainRancher('k3s'), evidence: firstBelow('/etc/rancher/k3s/')},
  {name: 'rke2', explain: explainRancher('rke2'), evidence: firstBelow('/etc/rancher/rke2/')},
  {
    name: 'containerd',
    explain: explainContainerd,
    evidence: firstBelow('/etc/containerd/'),
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
    evidence: firstBelow('/etc/docker/'),
  },
  {name: 'ctr', explain: explainCtr, evidence: () => undefined},
  {
    name: 'skopeo',
    explain: (question, files) => explainContainers(question, {files, runtime: 'skopeo'}),
    evidence: () => undefined,
  },
]

function firstBelow(directory: string): Runtime['evidence'] {
  return (files) => files.paths.find((path) => path.startsWith(directory))
}

/** The first YAML file outside of /etc that has certain words. */
function yamlWith(words: RegExp): Runtime['evidence'] {
  return (files) =>
    files.paths.find(
      (path) => /\.ya?ml$/.test(path) && !path.startsWith('/etc/') && words.test(files.text(path) ?? ''),
    )
}
