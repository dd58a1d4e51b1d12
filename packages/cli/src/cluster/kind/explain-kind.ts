import {CONFIG_TOML} from '../containerd/config-toml.js'
import {explainContainerd} from '../containerd/explain-containerd.js'
import type {Answer, Question, Version} from '../explanation.js'
import type {NodeFiles} from '../files/node-files.js'
import {overlayFiles} from '../files/overlay-files.js'
import {readToml} from '../toml/read-toml.js'
import {findDocuments} from '../yaml/find-documents.js'
import {textOf, valueAt} from '../yaml/yaml-node.js'

/** Words by which the configuration of a kind cluster is known. */
export const KIND_WORDS = /^\s*apiVersion:\s*['"]?kind\.x-k8s\.io\//m

/** The part of the config.toml of a node image that matters: it makes containerd pull without the transfer service. */
const NODE_CONFIG = `version = 2
imports = ["/etc/containerd/kind-patches/*.toml"]
[plugins."io.containerd.grpc.v1.cri".containerd]
  discard_unpacked_layers = true
`

/** A node of kind: containerd with the configuration of the node image and the patches of the cluster. */
export function explainKind(question: Question, files: NodeFiles): Answer {
  const {version = {major: 0, minor: 27}} = question
  const isOld = version.major === 0 && version.minor < 27
  const {documents, faults} = findDocuments(files, KIND_WORDS)
  const [fault] = faults
  if (fault !== undefined)
    return {
      assumed: [],
      outcome: 'error',
      message: fault,
      tries: [],
      warnings: ['kind creates no cluster from this file'],
    }
  const patches = documents.flatMap(({node}) => {
    const list = valueAt(node, 'containerdConfigPatches')
    return list?.kind === 'list' ? list.items.flatMap((item) => textOf(item) ?? []) : []
  })
  const own = files.text(CONFIG_TOML) === undefined ? nodeFiles(files, patches) : files
  const containerd: Version = isOld ? {major: 1, minor: 7} : {major: 2, minor: 3}
  const answer = explainContainerd({...question, version: containerd}, own)
  const image = isOld
    ? 'before v0.27, with containerd 1.7: it reads no certs.d without a patch'
    : 'of v0.27 or later, which reads /etc/containerd/certs.d'
  return {
    ...answer,
    assumed: [`the node image is one ${image}`, ...answer.assumed],
    warnings: [...answer.warnings, ...patchWarnings(patches, isOld)],
  }
}

function nodeFiles(files: NodeFiles, patches: readonly string[]): NodeFiles {
  const added = new Map([[CONFIG_TOML, NODE_CONFIG]])
  for (const [index, patch] of patches.entries()) {
    const version = readToml(patch).document?.root.get('version')?.value
    // kind leaves out a patch that is for another version of the file
    if (version !== undefined && version !== 2n) continue
    const text = version === undefined ? `version = 2\n${patch}` : patch
    added.set(`/etc/containerd/kind-patches/${String(index).padStart(4, '0')}.toml`, text)
  }
  return overlayFiles(files, added)
}

function patchWarnings(patches: readonly string[], isOld: boolean): readonly string[] {
  const hasMirrors = patches.some((patch) => /\bregistry\.mirrors\b/.test(patch))
  return hasMirrors && !isOld
    ? [
        'containerdConfigPatches sets the deprecated registry.mirrors: node images whose config.toml has a config_path pull nothing with it',
      ]
    : []
}
