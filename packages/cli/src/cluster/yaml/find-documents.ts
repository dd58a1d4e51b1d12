import type {NodeFiles} from '../files/node-files.js'
import {readYamlDocuments} from './read-yaml-documents.js'
import type {YamlNode} from './yaml-node.js'

export interface FoundDocument {
  readonly path: string
  /** From 0, in its file. */
  readonly index: number
  readonly node: YamlNode
}

/**
 * The documents of YAML files that lie outside of /etc and mention a word, in the order of their paths; files of another
 * kind are passed over. `faults` are the files that mention it and are not valid.
 */
export function findDocuments(
  files: NodeFiles,
  word: RegExp,
): {readonly documents: readonly FoundDocument[]; readonly faults: readonly string[]} {
  const documents: FoundDocument[] = []
  const faults: string[] = []
  for (const path of files.paths) {
    if (!/\.ya?ml$/.test(path) || path.startsWith('/etc/')) continue
    const text = files.text(path) ?? ''
    if (!word.test(text)) continue
    const {documents: found, fault} = readYamlDocuments(text)
    if (fault !== undefined) faults.push(`${path}:${fault.line}: ${fault.message}`)
    else documents.push(...found.map((node, index) => ({path, index, node})))
  }
  return {documents, faults}
}
