import {readLogin, type FoundLogin} from '../node-login.js'
import {readYamlDocuments} from '../yaml/read-yaml-documents.js'
import {booleanOf, textOf, valueAt, type YamlNode} from '../yaml/yaml-node.js'

interface MirrorEntry {
  readonly line: number
  readonly endpoints: readonly {readonly value: string; readonly line: number}[]
  readonly rewrites: readonly (readonly [string, string])[]
}

export interface ConfigEntry {
  readonly line: number
  /** Present, perhaps with nothing in it that is used. */
  readonly auth?: FoundLogin & {readonly line: number}
  readonly tls?: {
    readonly line: number
    readonly ca?: string
    readonly client: readonly string[]
    readonly skipVerify: boolean
  }
}

export interface RegistriesYaml {
  readonly mirrors: ReadonlyMap<string, MirrorEntry>
  readonly configs: ReadonlyMap<string, ConfigEntry>
  /** Keys that are not known, as sentences. */
  readonly ignored: readonly string[]
}

class Fault extends Error {}

/** Reads a registries.yaml as K3s does, or gives the message with which the service stops. */
export function readRegistriesYaml(
  text: string,
  path: string,
):
  | {readonly registries: RegistriesYaml; readonly message?: undefined}
  | {readonly registries?: undefined; readonly message: string} {
  const {documents, fault} = readYamlDocuments(text)
  if (fault !== undefined) return {message: `yaml: line ${fault.line}: ${fault.message} (${path})`}
  const [root] = documents
  const ignored: string[] = []
  const note = (node: YamlNode | undefined, known: readonly string[], what: string): void => {
    for (const [key, {line}] of node?.kind === 'map' ? node.entries : [])
      if (!known.includes(key))
        ignored.push(
          `${path}:${line}: ${what}${key} is ignored because the service does not know it${hintFor(key)}`,
        )
  }
  try {
    note(root, ['mirrors', 'configs'], '')
    const mirrors = entriesOf(root, 'mirrors').map(([host, node, line]) => {
      note(node, ['endpoint', 'rewrite'], `mirrors."${host}".`)
      return [host, mirrorOf(node, line)] as const
    })
    const configs = entriesOf(root, 'configs').map(([host, node, line]) => {
      note(node, ['auth', 'tls'], `configs."${host}".`)
      note(
        valueAt(node, 'auth'),
        ['username', 'password', 'auth', 'identity_token'],
        `configs."${host}".auth.`,
      )
      note(
        valueAt(node, 'tls'),
        ['ca_file', 'cert_file', 'key_file', 'insecure_skip_verify'],
        `configs."${host}".tls.`,
      )
      return [host, configOf(node, line)] as const
    })
    return {registries: {mirrors: new Map(mirrors), configs: new Map(configs), ignored}}
  } catch (error) {
    if (error instanceof Fault) return {message: `yaml: unmarshal errors: ${error.message} (${path})`}
    throw error
  }
}

function hintFor(key: string): string {
  if (key === 'endpoints') return ': the key is endpoint'
  if (key === 'rewrites') return ': the key is rewrite'
  return key === 'token' ? ': the key is identity_token, although its documentation says otherwise' : ''
}

function entriesOf(
  root: YamlNode | undefined,
  key: string,
): readonly (readonly [string, YamlNode | undefined, number])[] {
  const node = valueAt(root, key)
  if (root !== undefined && root.kind !== 'map' && textOf(root) !== undefined)
    throw mismatch(root, 'registries.Registry')
  if (node === undefined) return []
  if (node.kind !== 'map') throw mismatch(node, 'map')
  return [...node.entries].map(([name, entry]) => [name, valueAt(node, name), entry.line])
}

function mirrorOf(node: YamlNode | undefined, line: number): MirrorEntry {
  if (node !== undefined && node.kind !== 'map') throw mismatch(node, 'registries.Mirror')
  const endpoint = valueAt(node, 'endpoint')
  const rewrite = valueAt(node, 'rewrite')
  if (endpoint !== undefined && endpoint.kind !== 'list') throw mismatch(endpoint, '[]string')
  if (rewrite !== undefined && rewrite.kind !== 'map') throw mismatch(rewrite, 'map[string]string')
  return {
    line,
    endpoints: (endpoint?.items ?? []).map((item) => ({value: scalarText(item), line: item.line})),
    rewrites: [...(rewrite?.entries ?? [])].map(([pattern, {value}]) => [pattern, scalarText(value)]),
  }
}

function configOf(node: YamlNode | undefined, line: number): ConfigEntry {
  if (node !== undefined && node.kind !== 'map') throw mismatch(node, 'registries.RegistryConfig')
  const auth = valueAt(node, 'auth')
  const tls = valueAt(node, 'tls')
  if (auth !== undefined && auth.kind !== 'map') throw mismatch(auth, 'registries.AuthConfig')
  if (tls !== undefined && tls.kind !== 'map') throw mismatch(tls, 'registries.TLSConfig')
  return {
    line,
    auth: auth === undefined ? undefined : authOf(auth),
    tls: tls === undefined ? undefined : tlsOf(tls),
  }
}

function authOf(auth: YamlNode): NonNullable<ConfigEntry['auth']> {
  const text = (key: string): string => scalarText(valueAt(auth, key))
  const login = readLogin({
    username: text('username'),
    password: text('password'),
    identityToken: text('identity_token'),
    auth: text('auth'),
  })
  return {...login, line: auth.line}
}

function tlsOf(tls: YamlNode): NonNullable<ConfigEntry['tls']> {
  const ca = scalarText(valueAt(tls, 'ca_file'))
  const pair = [scalarText(valueAt(tls, 'cert_file')), scalarText(valueAt(tls, 'key_file'))]
  const skip = valueAt(tls, 'insecure_skip_verify')
  if (skip !== undefined && booleanOf(skip) === undefined) throw mismatch(skip, 'bool')
  return {
    line: tls.line,
    ca: ca === '' ? undefined : ca,
    client: pair.every((path) => path === '') ? [] : pair,
    skipVerify: booleanOf(skip) === true,
  }
}

function scalarText(node: YamlNode | undefined): string {
  if (node !== undefined && node.kind !== 'scalar') throw mismatch(node, 'string')
  return textOf(node) ?? ''
}

function mismatch(node: YamlNode, type: string): Fault {
  const kind = node.kind === 'map' ? '!!map' : node.kind === 'list' ? '!!seq' : '!!str'
  return new Fault(`line ${node.line}: cannot unmarshal ${kind} into ${type}`)
}
