import {limits, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'
import type * as Yaml from 'yaml'
import {collectProblems, type Path, type Problems} from './problems.js'

export interface ReadYaml {
  /** Plain values: objects, lists, strings, numbers, booleans, null. Parts that aliases name are shared. */
  readonly value: unknown
  readonly problems: Problems
}

export interface ReadYamlOptions {
  /** For messages. */
  readonly name: string
  /** `strings`: every scalar is its text, so that `1.10` is not the number 1.1. */
  readonly scalars?: 'typed' | 'strings'
}

/**
 * Reads one YAML 1.2 document, with merge keys (`<<`), without tags of its own, with a bound on what aliases multiply.
 * Messages quote no text of the file, because it may hold passwords.
 * @throws {MirrorError} CONFIG_INVALID naming every fault with its line, LIMIT_EXCEEDED
 */
export async function readYaml(text: string, {name, scalars = 'typed'}: ReadYamlOptions): Promise<ReadYaml> {
  if (text.length > limits.listBytes) {
    throw new MirrorError('LIMIT_EXCEEDED', `${name} is over the limit of ${limits.listBytes} bytes`)
  }
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line)
  const faults = new Map<number, string>()
  const fault = (line: number, what: string): void => void (faults.has(line) || faults.set(line, what))
  try {
    const document = yaml.parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      merge: true,
      resolveKnownTags: false,
      schema: scalars === 'strings' ? 'failsafe' : 'core',
    })
    for (const error of [...document.errors, ...document.warnings])
      fault(lineAt(error.pos[0]), wording(error))
    yaml.visit(document, {
      Alias: (_key, alias: Yaml.Alias) => {
        if (alias.resolve(document) === undefined) fault(lineAt(alias.range?.[0] ?? 0), NO_ANCHOR)
      },
    })
    if (faults.size > 0) throw notYaml(name, faults)
    const value: unknown = document.toJS({maxAliasCount: limits.yamlNodes})
    if (!isBounded(value)) throw notYaml(name, [[0, 'its aliases multiply too often']])
    return {
      value,
      problems: collectProblems(name, (path) => {
        const offset = offsetOf(document, path, yaml)
        return offset === undefined ? undefined : lineAt(offset)
      }),
    }
  } catch (error) {
    if (error instanceof RangeError) throw notYaml(name, [[0, 'it is nested too deeply']])
    if (error instanceof ReferenceError) throw notYaml(name, [[0, aliasTrouble(error)]])
    throw error
  }
}

/** Returns true if the number of values is within the limit. A value repeated by aliases counts each time. */
function isBounded(value: unknown): boolean {
  const open = [value]
  for (let nodes = 1; open.length > 0;) {
    const node = open.pop()
    if (typeof node !== 'object' || node === null) continue
    const items: readonly unknown[] = Object.values(node)
    nodes += items.length
    if (nodes > limits.yamlNodes) return false
    for (const item of items) open.push(item)
  }
  return true
}

/** Returns the start of a path in the file, or of its nearest parent that is written there. Merged values are elsewhere. */
function offsetOf(document: Yaml.Document.Parsed, path: Path, yaml: typeof Yaml): number | undefined {
  let node: unknown = document.contents
  let offset = (document.contents as Yaml.Node | null)?.range?.[0]
  for (const part of path) {
    if (yaml.isAlias(node)) node = node.resolve(document)
    if (yaml.isMap(node)) {
      const pair = node.items.find(({key}) => String(yaml.isScalar(key) ? key.value : key) === String(part))
      if (pair === undefined) return offset
      offset = (pair.key as Yaml.Node | null)?.range?.[0] ?? offset
      node = pair.value
    } else if (yaml.isSeq(node) && typeof part === 'number') {
      node = node.items[part]
      offset = (node as Yaml.Node | undefined)?.range?.[0] ?? offset
    } else {
      return offset
    }
  }
  return offset
}

const NO_ANCHOR = 'an alias (*) names an anchor (&) that is not there; text that begins with * needs quotes'

function aliasTrouble(error: ReferenceError): string {
  return messageOf(error).startsWith('Excessive alias count') ? 'its aliases multiply too often' : NO_ANCHOR
}

/** Returns the parser's message without the parts that quote the file. */
function wording({code, message}: Pick<Yaml.YAMLError, 'code' | 'message'>): string {
  if (code === 'TAG_RESOLVE_FAILED') return 'tags (!) are not supported; text that begins with ! needs quotes'
  if (code === 'DUPLICATE_KEY') return 'this key is there already'
  if (code === 'MULTIPLE_DOCS') return 'a second document begins (---): only one is allowed'
  return message.replace(/(extra characters|escape sequence).*$/s, '$1')
}

function notYaml(name: string, faults: Iterable<readonly [number, string]>): MirrorError {
  const told = [...faults].map(([line, what]) => (line === 0 ? what : `line ${line}: ${what}`))
  return new MirrorError('CONFIG_INVALID', [`${name} is not valid YAML`, ...told.slice(0, 20)].join('; '))
}
