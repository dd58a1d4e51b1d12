import {resolve} from 'node:path'
import {canonicalRegistry, isRegistry, type Reference} from '@airgap-mirror/oci-client/model'
import {parseRewriteRule, type RewriteRule} from '../names/rewrite.js'
import type {RegistrySettings} from './job.js'
import type {Path, Problems} from './problems.js'
import {readYaml} from './read-yaml.js'
import {
  distinctPlaces,
  type MirrorPlace,
  type ParseMirrorsOptions,
  type SourceMirrors,
} from './source-mirrors.js'

interface Endpoint {
  readonly host: string
  readonly plainHttp: boolean
  /** The path before the repository: `ns` of `https://host/v2/ns`. */
  readonly prefix: string
}

interface Mirror {
  readonly endpoints: readonly Endpoint[]
  readonly rewrites: readonly RewriteRule[]
}

/**
 * Reads the `registries.yaml` of K3s and RKE2: the endpoints of a registry, or else of `*`, are tried in order, with the
 * repository rewritten by the first rule that changes it; then the registry itself, without the rules.
 * @throws {MirrorError} CONFIG_INVALID naming everything that is wrong, with its line
 */
export async function parseRegistriesYaml(
  text: string,
  {name, directory}: ParseMirrorsOptions,
): Promise<SourceMirrors> {
  const {value, problems} = await readYaml(text, {name})
  const root = value === null ? {} : recordAt(value, [], problems)
  if (root['mirrors'] === undefined && root['configs'] === undefined)
    problems.add([], 'has neither mirrors nor configs: it is not a registries.yaml')
  const mirrors = new Map(
    sections(root, 'mirrors', problems).map(([host, mirror]) => [
      canonicalRegistry(host),
      readMirror(mirror, ['mirrors', host], problems),
    ]),
  )
  const configs = new Map(
    sections(root, 'configs', problems).map(([host, config]) => [
      canonicalRegistry(hostOf(host)),
      readConfig(config, {path: ['configs', host], directory, problems}),
    ]),
  )
  problems.throwIfAny()
  const plain = new Set(
    [...mirrors.values()].flatMap(({endpoints}) =>
      endpoints.filter(({plainHttp}) => plainHttp).map(({host}) => canonicalRegistry(host)),
    ),
  )
  return {
    mirrorsFor: (reference) => placesFor(reference, mirrors),
    settingsFor: (host) => {
      const own = configs.get(canonicalRegistry(host)) ?? configs.get('*')
      return plain.has(canonicalRegistry(host)) ? {...own, plainHttp: true} : own
    },
  }
}

function placesFor(reference: Reference, mirrors: ReadonlyMap<string, Mirror>): readonly MirrorPlace[] {
  const mirror = mirrors.get(canonicalRegistry(reference.registry)) ?? mirrors.get('*')
  if (mirror === undefined) return [{reference}]
  const {registry: _own, repository, ...version} = reference
  const rewritten = mirror.rewrites.map((rule) => rule.apply(repository)).find((path) => path !== repository)
  const places = mirror.endpoints.map(({host, plainHttp, prefix}): MirrorPlace => {
    const path = [prefix, rewritten ?? repository].filter((part) => part !== '').join('/')
    const there = {registry: host, repository: path, ...version}
    return plainHttp ? {reference: there, plainHttp} : {reference: there}
  })
  return distinctPlaces([...places, {reference}])
}

type Values = Readonly<Record<string, unknown>>

function readMirror(value: unknown, path: Path, problems: Problems): Mirror {
  const {endpoint = [], rewrite} = value === null ? {} : recordAt(value, path, problems)
  const urls: readonly unknown[] = Array.isArray(endpoint) ? endpoint : [endpoint]
  const rules =
    rewrite === undefined || rewrite === null ? {} : recordAt(rewrite, [...path, 'rewrite'], problems)
  return {
    endpoints: urls.flatMap((url, index) => {
      const at = [...path, 'endpoint', index]
      if (typeof url !== 'string') problems.add(at, 'has to be a URL')
      const read = typeof url === 'string' ? problems.attempt(at, () => readEndpoint(url)) : undefined
      return read === undefined ? [] : [read]
    }),
    rewrites: Object.entries(rules).flatMap(([regex, replacement]) => {
      const at = [...path, 'rewrite', regex]
      const rule = problems.attempt(at, () => parseRewriteRule(`${regex}=${String(replacement)}`))
      return rule === undefined ? [] : [rule]
    }),
  }
}

/** `https://host`, `http://host:port`, `host`, each with `/v2/PATH` behind it or nothing. */
function readEndpoint(text: string): Endpoint {
  const [, scheme = 'https', host = '', path = ''] =
    /^(?:([A-Za-z]+):\/\/)?([^/?#@]+)((?:\/[^?#]*)?)$/.exec(text) ?? []
  if (!/^https?$/i.test(scheme) || !isRegistry(host))
    throw new Error('is not a URL as https://HOST[:PORT][/v2/PATH]')
  const [, prefix] = /^(?:\/v2(?:\/(.*?))?)?\/*$/.exec(path) ?? [undefined, null]
  if (prefix === null)
    throw new Error('has a path that does not begin with /v2: no reference can stand for it')
  return {host, plainHttp: scheme.toLowerCase() === 'http', prefix: prefix ?? ''}
}

function readConfig(
  value: unknown,
  {path, directory, problems}: {readonly path: Path; readonly directory: string; readonly problems: Problems},
): RegistrySettings {
  const config = value === null ? {} : recordAt(value, path, problems)
  const section = (key: string): Values =>
    config[key] === undefined || config[key] === null ? {} : recordAt(config[key], [...path, key], problems)
  const tls = section('tls')
  const file = (key: string): string | undefined => {
    const named = textOf(tls[key])
    return named === undefined ? undefined : resolve(directory, named)
  }
  const settings: {readonly [Key in keyof RegistrySettings]: RegistrySettings[Key] | undefined} = {
    ...credentialIn(section('auth')),
    cacert: file('ca_file'),
    clientCert: file('cert_file'),
    clientKey: file('key_file'),
    insecureSkipTlsVerify: tls['insecure_skip_verify'] === true ? true : undefined,
  }
  return Object.fromEntries(Object.entries(settings).filter(([, one]) => one !== undefined))
}

function credentialIn(auth: Values): RegistrySettings {
  const identityToken = textOf(auth['identity_token'] ?? auth['identitytoken'] ?? auth['token'])
  if (identityToken !== undefined) return {identityToken}
  const encoded = Buffer.from(textOf(auth['auth']) ?? '', 'base64').toString()
  const colon = encoded.indexOf(':')
  const username = textOf(auth['username']) ?? (colon < 0 ? undefined : encoded.slice(0, colon))
  const password = textOf(auth['password']) ?? (colon < 0 ? undefined : encoded.slice(colon + 1))
  return username === undefined || password === undefined ? {} : {username, password}
}

/** A password of digits alone is a number to YAML. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== ''
    ? value
    : typeof value === 'number'
      ? String(value)
      : undefined
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//i, '').replace(/\/.*$/, '')
}

function sections(root: Values, key: string, problems: Problems): readonly (readonly [string, unknown])[] {
  const value = root[key]
  return value === undefined || value === null ? [] : Object.entries(recordAt(value, [key], problems))
}

function recordAt(value: unknown, path: Path, problems: Problems): Values {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Values
  problems.add(path, 'has to have keys and values')
  return {}
}
