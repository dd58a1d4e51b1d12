import {MirrorError} from '@airgap-mirror/oci-client/model'
import type {NodeFiles} from '../files/node-files.js'
import {readYamlDocuments} from '../yaml/read-yaml-documents.js'
import {textOf, valueAt, type YamlNode} from '../yaml/yaml-node.js'

/** A Kubernetes object. */
export interface Manifest {
  readonly kind: string
  readonly name: string
  readonly namespace: string
  readonly node: YamlNode
  readonly path: string
}

const GROUP = /openshift\.io/

/** Every object in the YAML and JSON files, those inside lists included, in the order of the files. */
export function readManifests(files: NodeFiles): {
  readonly manifests: readonly Manifest[]
  readonly warnings: readonly string[]
} {
  const warnings: string[] = []
  const manifests = files.paths
    .filter((path) => /\.(?:ya?ml|json)$/.test(path))
    .flatMap((path) => {
      const text = files.text(path) ?? ''
      const reading = readYamlDocuments(text)
      if (reading.documents !== undefined) return reading.documents.flatMap((node) => objectsIn(node, path))
      const problem = `${path}:${reading.fault.line}: ${reading.fault.message}`
      if (GROUP.test(text)) throw new MirrorError('CONFIG_INVALID', `cannot read the manifests in ${problem}`)
      warnings.push(`${path} is not read as a manifest: line ${reading.fault.line}: ${reading.fault.message}`)
      return []
    })
  return {manifests, warnings}
}

function objectsIn(node: YamlNode, path: string): readonly Manifest[] {
  const kind = textOf(valueAt(node, 'kind'))
  if (kind === undefined) return []
  const items = valueAt(node, 'items')
  if (kind.endsWith('List') && items?.kind === 'list')
    return items.items.flatMap((item) => objectsIn(withKind(item, kind.slice(0, -4)), path))
  return [
    {
      kind,
      name: textOf(valueAt(node, 'metadata', 'name')) ?? '',
      namespace: textOf(valueAt(node, 'metadata', 'namespace')) ?? '',
      node,
      path,
    },
  ]
}

/** Items of a list of one kind may leave out their own. */
function withKind(item: YamlNode, kind: string): YamlNode {
  if (item.kind !== 'map' || item.entries.has('kind') || kind === '') return item
  const own = {line: item.line, value: {kind: 'scalar', line: item.line, text: kind, isQuoted: true} as const}
  return {...item, entries: new Map([...item.entries, ['kind', own]])}
}

const MIRROR_KINDS =
  /^\s*["']?kind["']?\s*:\s*["']?(?:ImageDigestMirrorSet|ImageTagMirrorSet|ImageContentSourcePolicy)/m

/** Returns true if the text is a manifest with a mirror set of OpenShift. */
export function isMirrorSet(text: string): boolean {
  return MIRROR_KINDS.test(text)
}

/** The first file with a mirror set of OpenShift. */
export function mirrorManifest(files: NodeFiles): string | undefined {
  return files.paths.find((path) => /\.(?:ya?ml|json)$/.test(path) && isMirrorSet(files.text(path) ?? ''))
}

/** The objects of a kind. */
export function ofKind(manifests: readonly Manifest[], kind: string): readonly Manifest[] {
  return manifests.filter((manifest) => manifest.kind === kind)
}

/** The texts of a list, each with its place. */
export function textsAt(
  {node, path}: Manifest,
  keys: readonly string[],
): readonly {readonly text: string; readonly at: string}[] {
  const list = valueAt(node, ...keys)
  if (list?.kind !== 'list') return []
  return list.items.flatMap((item) => {
    const text = textOf(item)
    return text === undefined ? [] : [{text, at: `${path}:${item.line}`}]
  })
}
