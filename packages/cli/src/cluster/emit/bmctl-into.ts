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
  const rest = text.slice(end).replace(/^[ \t]*\n?/, '')
  const replaced = endpointsOf(pair).filter((endpoint) => endpoint !== mirror.endpoint)
  return {text: before + block + rest, replaced}
}

function parseHeader(text: string, name: string): Document.Parsed {
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, {lineCounter: lines, prettyErrors: false, keepSourceTokens: true})
  const [header] = Array.isArray(documents) ? documents : []
  if (header === undefined) throw notACluster(name, 'it is empty')
  for (const {errors} of documents) {
    const [error] = errors
    if (error !== undefined) {
      throw notACluster(name, `line ${lines.linePos(error.pos[0]).line} is not valid YAML`)
    }
  }
  if (header.contents !== null && !isMap(header.contents))
    throw notACluster(name, 'its first document has no keys')
  const {contents} = header
  if (isMap(contents) && (contents.has('kind') || contents.flow === true)) {
    throw notACluster(name, 'its first document is not a header of keys before the first ---')
  }
  return header
}

function pairOf({contents}: Document.Parsed): Pair | undefined {
  if (!isMap(contents)) return undefined
  return contents.items.find(({key}) => isScalar(key) && key.value === KEY)
}

/** After the last key of the header, before comments that follow it. */
function withBlock(
  text: string,
  {header, block}: {readonly header: Document.Parsed; readonly block: string},
): string {
  if (header.contents === null) {
    const start = header.directives?.docStart === true ? text.indexOf('---') : 0
    return `${text.slice(0, start)}${block}${text.slice(start)}`
  }
  const last = isMap(header.contents) ? header.contents.items.at(-1) : undefined
  const node = (last?.value ?? last?.key) as Node
  const [, end] = rangeOf(node)
  // A comment on the last key's own line stays with it.
  const newline = text.indexOf('\n', end > 0 && text[end - 1] === '\n' ? end - 1 : end)
  if (newline < 0) return `${text}\n${block}`
  return text.slice(0, newline + 1) + block + text.slice(newline + 1)
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
