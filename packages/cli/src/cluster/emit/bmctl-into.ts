import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  stringify,
  type Document,
  type Node,
  type Pair,
} from 'yaml'
import {MirrorError} from '@airgap-mirror/oci-client/model'
import type {RegistryMirror} from './gdc.js'

export interface Inserted {
  readonly text: string
  /** Endpoints of mirrors that were there before and are no longer. */
  readonly replaced: readonly string[]
}

const KEY = 'registryMirrors'

/**
 * A bmctl cluster file with this mirror in its header. Every other byte stays, comments included.
 * @throws {MirrorError} CONFIG_INVALID if the file is not YAML with a header of keys
 */
export function insertMirror(
  text: string,
  {name, mirror}: {readonly name: string; readonly mirror: RegistryMirror},
): Inserted {
  const header = parseHeader(text, name)
  const block = stringify({[KEY]: [mirror]}, {lineWidth: 0})
  const pair = pairOf(header)
  if (pair === undefined) return {text: withBlock(text, {header, block}), replaced: []}
  const [start] = rangeOf(pair.key as Node)
  const end = pair.value == null ? rangeOf(pair.key as Node)[2] : rangeOf(pair.value as Node)[1]
  const before = text.slice(0, start)
  // A list in block style ends behind its last line, other values on it.
  const rest = text[end - 1] === '\n' ? text.slice(end) : text.slice(end).replace(/^[ \t]*(?:\r?\n)?/, '')
  const replaced = endpointsOf(pair).filter((endpoint) => endpoint !== mirror.endpoint)
  return {text: before + block + rest, replaced}
}

/** The document before the first `---`; absent if there is nothing but comments. */
function parseHeader(text: string, name: string): Document.Parsed | undefined {
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, {lineCounter: lines, prettyErrors: false})
  const [header] = Array.isArray(documents) ? documents : []
  if (header === undefined) throw notACluster(name, 'it is empty')
  for (const {errors} of documents) {
    const [error] = errors
    if (error !== undefined) {
      throw notACluster(name, `line ${lines.linePos(error.pos[0]).line} is not valid YAML`)
    }
  }
  const {contents} = header
  if (contents === null) return header
  if (!isMap(contents)) throw notACluster(name, 'its first document has no keys')
  if (!contents.has('kind') && contents.flow !== true) return header
  if (header.directives?.docStart === true) return undefined
  throw notACluster(name, 'its first document is not a header of keys before the first ---')
}

function pairOf(header: Document.Parsed | undefined): Pair | undefined {
  const contents = header?.contents
  if (!isMap(contents)) return undefined
  return contents.items.find(({key}) => isScalar(key) && key.value === KEY)
}

/** At the end of the header, after comments that may belong to its last key. */
function withBlock(
  text: string,
  {header, block}: {readonly header: Document.Parsed | undefined; readonly block: string},
): string {
  const contents = header?.contents ?? undefined
  const from = contents === undefined ? 0 : rangeOf(contents)[1]
  const marker = /^---(?=\s|$)/m.exec(text.slice(from))
  const end = marker === null ? text.length : from + marker.index
  const before = text.slice(0, end)
  return `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${block}${text.slice(end)}`
}

function rangeOf(node: Node): readonly [number, number, number] {
  return node.range ?? [0, 0, 0]
}

function endpointsOf({value}: Pair): readonly string[] {
  if (!isSeq(value)) return []
  return value.items.flatMap((item) => {
    const endpoint: unknown = isMap(item) ? item.get('endpoint') : undefined
    return typeof endpoint === 'string' ? [endpoint] : []
  })
}

function notACluster(name: string, why: string): MirrorError {
  return new MirrorError('CONFIG_INVALID', `${name} is not a bmctl cluster file: ${why}`, {
    hint: 'Name a cluster file with keys before its first ---.',
  })
}
