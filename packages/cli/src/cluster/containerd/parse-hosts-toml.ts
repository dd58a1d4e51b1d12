import {posix} from 'node:path'
import {readToml} from '../toml/read-toml.js'
import {isTomlList, TomlTable, type TomlDocument, type TomlNode} from '../toml/toml-document.js'
import {hostAddress} from './host-address.js'
import {NO_TLS, type HostTls, type RegistryHost} from './registry-host.js'

interface HostsToml {
  /** The `[host]` tables in the order of the file, then `server` if it names a host. */
  readonly hosts: readonly RegistryHost[]
  /** The root entry without a usable `server`: the image's own registry takes its place. */
  readonly own?: HostTls & {readonly why: string}
  readonly warnings: readonly string[]
}

export type HostsTomlReading =
  | {readonly file: HostsToml; readonly fault?: undefined}
  | {readonly file?: undefined; readonly fault: {readonly line: number; readonly message: string}}

export interface HostsTomlPlace {
  readonly path: string
  /** `referrers` is a capability; older versions take the whole file for broken. */
  readonly knowsReferrers: boolean
  /** containerd 1 takes a file without a `[host]` table for broken: seen with 1.6.20. */
  readonly needsHostTable: boolean
}

class Fault extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** Reads a hosts.toml as containerd does. A fault is one that makes containerd ignore the whole file. */
export function parseHostsToml(text: string, place: HostsTomlPlace): HostsTomlReading {
  const {document, fault} = readToml(text)
  if (fault !== undefined) return {fault}
  try {
    return {file: hostsOf(document, place)}
  } catch (error) {
    if (error instanceof Fault) return {fault: {line: error.line, message: error.message}}
    throw error
  }
}

function hostsOf(document: TomlDocument, place: HostsTomlPlace): HostsToml {
  const {root} = document
  const server = textAt(root, 'server')
  const tables = hostTables(root, place)
  for (const [, table] of tables) checkEntry(table)
  const order = hostOrder(document)
  const hosts = order.map(({name, line}, index) =>
    entryOf(name, {
      table: tables.get(name) ?? new TomlTable(new Map()),
      line,
      what: `[host] #${index + 1}`,
      place,
    }),
  )
  checkEntry(root)
  const rest = entryOf(server?.value ?? '', {table: root, line: server?.line ?? 1, what: 'server', place})
  const named = hosts.filter(({host}) => host !== '')
  const warnings = [
    ...hosts.flatMap(({host}, index) =>
      host === ''
        ? [
            `the host ${order[index]?.name ?? ''} in ${place.path} is ignored because containerd finds no host name in it`,
          ]
        : [],
    ),
    ...strayKeys(document, place.path),
  ]
  if (rest.host !== '') return {hosts: [...named, rest], warnings}
  const {ca, client, skipVerify, sendsAuthorization} = rest
  const why = server === undefined ? 'no server' : `server "${server.value}" names no host`
  return {
    hosts: named,
    own: {ca, client, sendsAuthorization, why, skipVerify},
    warnings,
  }
}

/** `[host."X"]` and its sub-tables in the order of the file; the same host in a row counts once. */
function hostOrder({headers}: TomlDocument): readonly {readonly name: string; readonly line: number}[] {
  const order: {name: string; line: number}[] = []
  for (const {path, line} of headers) {
    const [first, name] = path
    if (first === 'host' && name !== undefined && name !== order.at(-1)?.name) order.push({name, line})
  }
  return order
}

function hostTables(root: TomlTable, {needsHostTable}: HostsTomlPlace): ReadonlyMap<string, TomlTable> {
  const node = root.get('host')
  if (node === undefined && needsHostTable) throw new Fault(1, 'invalid `host` tree: it has no [host] table')
  if (node === undefined) return new Map()
  if (!(node.value instanceof TomlTable)) throw new Fault(node.line, 'host is not a table')
  return new Map(
    [...node.value.entries].map(([name, {value, line}]) => {
      if (!(value instanceof TomlTable)) throw new Fault(line, `host."${name}" is not a table`)
      return [name, value]
    }),
  )
}

/** Types that the decoder checks in every entry before anything is used. */
function checkEntry(table: TomlTable): void {
  for (const key of ['skip_verify', 'override_path']) {
    const node = table.get(key)
    if (node !== undefined && typeof node.value !== 'boolean')
      throw new Fault(node.line, `${key} is not true or false`)
  }
  textAt(table, 'dial_timeout')
  stringsAt(table, 'capabilities')
  const header = table.get('header')
  for (const [name, {value, line}] of table.table('header')?.entries ?? [])
    if (typeof value !== 'string' && !isTextList(value))
      throw new Fault(line, `invalid type for header "${name}"`)
  if (header !== undefined && !(header.value instanceof TomlTable))
    throw new Fault(header.line, 'header is not a table')
}

function isTextList(value: TomlNode['value']): boolean {
  return isTomlList(value) && value.every((item) => typeof item.value === 'string')
}

interface EntryPlace {
  readonly table: TomlTable
  readonly line: number
  readonly what: string
  readonly place: HostsTomlPlace
}

function entryOf(name: string, {table, line, what, place}: EntryPlace): RegistryHost {
  const capabilities = capabilitiesOf(table, place)
  const directory = posix.dirname(place.path)
  const absolute = (path: string): string => (path.startsWith('/') ? path : posix.join(directory, path))
  const skipVerify = table.get('skip_verify')?.value
  const overrides = table.get('override_path')?.value === true
  checkDuration(textAt(table, 'dial_timeout'))
  const address = hostAddress(name, {overrides})
  if (address === undefined) throw new Fault(line, `unable to parse server ${name}`)
  return {
    ...address,
    ...capabilities,
    ...NO_TLS,
    ca: pathsAt(table, 'ca').map(absolute),
    client: clientPairs(table).map((pair) => pair.map(absolute)),
    skipVerify: typeof skipVerify === 'boolean' ? skipVerify : undefined,
    sendsAuthorization: [...(table.table('header')?.entries.keys() ?? [])].some(
      (key) => key.toLowerCase() === 'authorization',
    ),
    source: `${place.path}:${line} ${what}${overrides ? ', override_path' : ''}`,
  }
}

function capabilitiesOf(
  table: TomlTable,
  {knowsReferrers}: HostsTomlPlace,
): Pick<RegistryHost, 'canPull' | 'canResolve'> {
  const names = stringsAt(table, 'capabilities')
  if (names.length === 0) return {canPull: true, canResolve: true}
  const known = new Set(['pull', 'resolve', 'push', ...(knowsReferrers ? ['referrers'] : [])])
  const lower = names.map(({value}) => value.toLowerCase())
  const unknown = names.find((_, index) => !known.has(lower[index] ?? ''))
  if (unknown !== undefined) throw new Fault(unknown.line, `unknown capability ${unknown.value}`)
  return {canPull: lower.includes('pull'), canResolve: lower.includes('resolve')}
}

function textAt(table: TomlTable, key: string): {readonly value: string; readonly line: number} | undefined {
  const node = table.get(key)
  if (node === undefined) return undefined
  if (typeof node.value !== 'string') throw new Fault(node.line, `${key} is not text`)
  return {value: node.value, line: node.line}
}

function stringsAt(
  table: TomlTable,
  key: string,
): readonly {readonly value: string; readonly line: number}[] {
  const node = table.get(key)
  if (node === undefined) return []
  if (!isTomlList(node.value)) throw new Fault(node.line, `${key} is not a list`)
  return node.value.map(({value, line}) => {
    if (typeof value !== 'string') throw new Fault(line, `${key} has an item that is not text`)
    return {value, line}
  })
}

function pathsAt(table: TomlTable, key: string): readonly string[] {
  const node = table.get(key)
  if (typeof node?.value === 'string') return [node.value]
  return stringsAt(table, key).map(({value}) => value)
}

function clientPairs(table: TomlTable): readonly (readonly string[])[] {
  const node = table.get('client')
  if (node === undefined) return []
  if (typeof node.value === 'string') return [[node.value]]
  if (!isTomlList(node.value)) throw new Fault(node.line, 'client is not text or a list')
  return node.value.map(({value, line}) => {
    if (typeof value === 'string') return [value]
    const pair = isTomlList(value) ? value.map((item) => item.value) : []
    const texts = pair.filter((item) => typeof item === 'string')
    if (texts.length !== 2 || pair.length !== 2) throw new Fault(line, 'invalid pair for "client"')
    return texts
  })
}

function checkDuration(duration: {readonly value: string; readonly line: number} | undefined): void {
  const isDuration = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
  if (duration !== undefined && duration.value !== '' && !isDuration.test(duration.value))
    throw new Fault(duration.line, `dial_timeout is not a duration: "${duration.value}"`)
}

const ENTRY_KEYS: ReadonlySet<string> = new Set([
  'capabilities',
  'ca',
  'client',
  'skip_verify',
  'header',
  'override_path',
  'dial_timeout',
])

/** Keys that containerd ignores, and hosts that are not written as `[host."…"]`. */
function strayKeys({root, headers}: TomlDocument, path: string): readonly string[] {
  const headed = new Set(
    headers.filter(({path: [first]}) => first === 'host').map((header) => header.path[1]),
  )
  const warnings: string[] = []
  for (const [key, {line}] of root.entries)
    if (!ENTRY_KEYS.has(key) && key !== 'server' && key !== 'host')
      warnings.push(unknownKey(key, `${path}:${line}`))
  for (const [name, {value, line}] of root.table('host')?.entries ?? []) {
    if (!headed.has(name))
      warnings.push(`${path}:${line}: the host ${name} is ignored because it has no line [host."${name}"]`)
    if (value instanceof TomlTable) warnings.push(...strayInHost(value, path))
  }
  return warnings
}

function strayInHost(table: TomlTable, path: string): readonly string[] {
  return [...table.entries]
    .filter(([key]) => !ENTRY_KEYS.has(key))
    .map(([key, {line}]) =>
      key === 'server'
        ? `${path}:${line}: server is ignored because it stands after a [host] line and so belongs to that host: move it to the top of the file`
        : unknownKey(key, `${path}:${line}`),
    )
}

function unknownKey(key: string, at: string): string {
  return `${at}: ${key} is ignored because containerd does not know it`
}
