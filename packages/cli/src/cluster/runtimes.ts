import {explainContainerd, explainCtr} from './containerd/explain-containerd.js'
import {explainDocker} from './docker/explain-docker.js'
import type {Explain} from './explanation.js'
import type {NodeFiles} from './files/node-files.js'

export interface Runtime {
  readonly name: string
  readonly explain: Explain
  /** The file that shows that a node has this runtime; absent if none does. */
  readonly evidence: (files: NodeFiles) => string | undefined
}

/** Every runtime that can be explained. Without `--as`, the first with evidence is taken. */
export const runtimes: readonly Runtime[] = [
  {
    name: 'containerd',
    explain: explainContainerd,
    evidence: (files) => files.paths.find((path) => path.startsWith('/etc/containerd/')),
  },
  {
    name: 'docker',
    explain: explainDocker,
    evidence: (files) => files.paths.find((path) => path.startsWith('/etc/docker/')),
  },
  {name: 'ctr', explain: explainCtr, evidence: () => undefined},
]
