import {BMCTL_WORDS, explainBmctl} from '../bmctl/explain-bmctl.js'
import {explainContainerd, explainCtr} from '../containerd/explain-containerd.js'
import {containersReader} from '../containers/explain-containers.js'
import {explainDocker} from '../docker/explain-docker.js'
import type {Answer, Explain, Question} from '../explanation.js'
import type {NodeFiles} from '../files/node-files.js'
import {rancherReader} from '../k3s/explain-k3s.js'
import {explainKind, KIND_WORDS} from '../kind/explain-kind.js'
import {openshiftReader} from '../openshift/explain-openshift.js'
import {mirrorManifest} from '../openshift/manifests.js'
import {explainTalos} from '../talos/explain-talos.js'
import {TALOS_WORDS} from '../talos/talos-registries.js'

export interface Runtime {
  readonly name: string
  /** Reads as much of the files as possible once, for many questions. */
  readonly prepare: (files: NodeFiles) => (question: Question) => Answer
  /** The file that shows that a node has this runtime; absent if none does. */
  readonly evidence: (files: NodeFiles) => string | undefined
}

const CONTAINERS_FILE = /\/(?:etc|\.config)\/containers\/(?:registries\.conf|policy\.json)/

/** Every runtime that can be explained. Without `--as`, the first with evidence is taken. */
export const runtimes: readonly Runtime[] = [
  {name: 'openshift', prepare: openshiftReader, evidence: mirrorManifest},
  {name: 'bmctl', prepare: eachTime(explainBmctl), evidence: yamlWith(BMCTL_WORDS)},
  {name: 'kind', prepare: eachTime(explainKind), evidence: yamlWith(KIND_WORDS)},
  {name: 'talos', prepare: eachTime(explainTalos), evidence: yamlWith(TALOS_WORDS)},
  {name: 'k3s', prepare: rancherReader('k3s'), evidence: firstBelow('/etc/rancher/k3s/')},
  {name: 'rke2', prepare: rancherReader('rke2'), evidence: firstBelow('/etc/rancher/rke2/')},
  {
    name: 'containerd',
    prepare: eachTime(explainContainerd),
    evidence: firstBelow('/etc/containerd/'),
  },
  {
    name: 'crio',
    prepare: (files) => containersReader(files, {runtime: 'crio'}),
    evidence: firstBelow('/etc/crio/'),
  },
  {
    name: 'podman',
    prepare: (files) => containersReader(files, {runtime: 'podman'}),
    evidence: (files) => files.paths.find((path) => CONTAINERS_FILE.test(path)),
  },
  {
    name: 'docker',
    prepare: eachTime(explainDocker),
    evidence: firstBelow('/etc/docker/'),
  },
  {name: 'ctr', prepare: eachTime(explainCtr), evidence: () => undefined},
  {
    name: 'skopeo',
    prepare: (files) => containersReader(files, {runtime: 'skopeo'}),
    evidence: () => undefined,
  },
]

/** For runtimes that read little for one image. */
function eachTime(explain: Explain): Runtime['prepare'] {
  return (files) => (question) => explain(question, files)
}

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
