import {readLogin, type FoundLogin} from '../node-login.js'
import {booleanOf, textOf, valueAt, type YamlNode} from '../yaml/yaml-node.js'
import type {FoundDocument} from '../yaml/find-documents.js'

export interface TalosEndpoint {
  readonly url: string
  readonly overridePath: boolean
  /** `file:line` and the rule. */
  readonly source: string
}

interface TalosMirror {
  readonly endpoints: readonly TalosEndpoint[]
  readonly skipFallback: boolean
  readonly at: string
}

interface TalosAuth extends FoundLogin {
  readonly at: string
}

interface TalosTls {
  readonly hasCa: boolean
  readonly hasClient: boolean
  readonly skipVerify: boolean
  readonly at: string
}

export interface TalosRegistries {
  readonly mirrors: ReadonlyMap<string, TalosMirror>
  readonly auths: ReadonlyMap<string, TalosAuth>
  readonly tls: ReadonlyMap<string, TalosTls>
  /** Reasons why Talos refuses the whole configuration. */
  readonly faults: readonly string[]
}

/** Words by which a machine configuration of Talos is known. */
export const TALOS_WORDS = /^\s*kind:\s*['"]?Registry(?:Mirror|Auth|TLS)Config|^machine:/m

/** The registries of the old form (`machine.registries`), then those of the documents, which replace them by name. */
export function readTalosRegistries(documents: readonly FoundDocument[]): TalosRegistries {
  const mirrors = new Map<string, TalosMirror>()
  const auths = new Map<string, TalosAuth>()
  const tls = new Map<string, TalosTls>()
  const faults: string[] = []
  for (const {node, path} of documents) {
    const registries = valueAt(node, 'machine', 'registries')
    for (const [name, value, line] of entries(valueAt(registries, 'mirrors'))) {
      if (value === undefined) faults.push(`registries.mirrors["${name}"] is null`)
      else mirrors.set(name, oldMirror(value, {path, line, name}))
    }
    for (const [name, value, line] of entries(valueAt(registries, 'config'))) {
      if (value === undefined) faults.push(`registries.config["${name}"] is null`)
      const auth = valueAt(value, 'auth')
      const settings = valueAt(value, 'tls')
      if (auth !== undefined) auths.set(name, authOf(auth, `${path}:${line}`))
      if (settings !== undefined) tls.set(name, tlsOf(settings, `${path}:${line}`))
    }
  }
  for (const {node, path} of documents) {
    const name = textOf(valueAt(node, 'name'))
    const kind = textOf(valueAt(node, 'kind'))
    if (kind === undefined || !/^Registry(?:Mirror|Auth|TLS)Config$/.test(kind)) continue
    if (name === undefined) faults.push(`${path}:${node.line}: name must be specified`)
    else if (kind === 'RegistryMirrorConfig')
      mirrors.set(name, newMirror(node, {path, line: node.line, name, faults}))
    else if (kind === 'RegistryAuthConfig') auths.set(name, authOf(node, `${path}:${node.line}`))
    else tls.set(name, tlsOf(node, `${path}:${node.line}`))
  }
  if (tls.has('*')) faults.push('wildcard host TLS configuration is not supported')
  return {mirrors, auths, tls, faults}
}

interface MirrorPlace {
  readonly path: string
  readonly line: number
  readonly name: string
}

function oldMirror(node: YamlNode, {path, line, name}: MirrorPlace): TalosMirror {
  const overridePath = booleanOf(valueAt(node, 'overridePath')) === true
  return {
    endpoints: items(valueAt(node, 'endpoints')).map((item, index) => ({
      url: textOf(item) ?? '',
      overridePath,
      source: `${path}:${item.line} machine.registries.mirrors."${name}" endpoint ${index + 1}${overridePath ? ', overridePath for all endpoints' : ''}`,
    })),
    skipFallback: booleanOf(valueAt(node, 'skipFallback')) === true,
    at: `${path}:${line}`,
  }
}

function newMirror(
  node: YamlNode,
  {path, line, name, faults}: MirrorPlace & {readonly faults: string[]},
): TalosMirror {
  const endpoints = items(valueAt(node, 'endpoints')).map((item, index) => {
    const url = textOf(valueAt(item, 'url')) ?? ''
    const [, scheme = ''] = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(url) ?? []
    if (url === '') faults.push(`endpoints[${index}].url must be specified`)
    else if (!/^https?$/i.test(scheme))
      faults.push(`endpoints[${index}].url has unsupported scheme: "${scheme}"`)
    const overridePath = booleanOf(valueAt(item, 'overridePath')) === true
    const rule = `RegistryMirrorConfig ${name} endpoint ${index + 1}${overridePath ? ', overridePath' : ''}`
    return {url, overridePath, source: `${path}:${item.line} ${rule}`}
  })
  return {endpoints, skipFallback: booleanOf(valueAt(node, 'skipFallback')) === true, at: `${path}:${line}`}
}

function authOf(node: YamlNode, at: string): TalosAuth {
  const text = (key: string): string | undefined => textOf(valueAt(node, key))
  const login = readLogin({
    username: text('username'),
    password: text('password'),
    identityToken: text('identityToken'),
    auth: text('auth'),
  })
  return {...login, at}
}

function tlsOf(node: YamlNode, at: string): TalosTls {
  return {
    hasCa: (textOf(valueAt(node, 'ca')) ?? '') !== '',
    hasClient: valueAt(node, 'clientIdentity') !== undefined,
    skipVerify: booleanOf(valueAt(node, 'insecureSkipVerify')) === true,
    at,
  }
}

function entries(node: YamlNode | undefined): readonly (readonly [string, YamlNode | undefined, number])[] {
  return node?.kind === 'map'
    ? [...node.entries].map(([name, {line}]) => [name, valueAt(node, name), line] as const)
    : []
}

function items(node: YamlNode | undefined): readonly YamlNode[] {
  return node?.kind === 'list' ? node.items : []
}
