import {readLogin, type FoundLogin} from '../node-login.js'
import {isTomlList, TomlTable, type TomlNode} from '../toml/toml-document.js'

/** A value and where it is written, as `file:line`. */
export interface Located<T> {
  readonly value: T
  readonly at: string
}

interface RegistryAuth extends FoundLogin {
  readonly at: string
}

interface RegistryTls {
  readonly ca: string | undefined
  readonly client: readonly string[]
  readonly skipVerify: boolean
  readonly at: string
}

/** The settings of one config.toml for registries and for the way to pull. */
export interface CriSettings {
  readonly configPath?: Located<string>
  readonly mirrors: ReadonlyMap<string, {readonly endpoints: readonly Located<string>[]; readonly at: string}>
  readonly auths: ReadonlyMap<string, RegistryAuth>
  readonly tls: ReadonlyMap<string, RegistryTls>
  readonly hasConfigs: boolean
  /** The setting that makes containerd 2.1 and later pull by itself and not with the transfer service. */
  readonly localPull?: Located<string>
}

export class SettingsFault extends Error {}

/**
 * Reads the table of the CRI plugin.
 * @throws {SettingsFault} if a value has a type with which the plugin does not start
 */
export function readCriSettings(cri: TomlTable, file: string): CriSettings {
  const registry = cri.table('registry') ?? new TomlTable(new Map())
  const configs = tablesAt(registry, {key: 'configs', file})
  const configPath = locatedText(registry, {key: 'config_path', file})
  const localPull = localPullReason(cri, file)
  const endpointAuths = tablesAt(registry, {key: 'auths', file}).map(
    ([url, table]) =>
      [url.replace(/^\w+:\/\/([^/]*).*$/, '$1'), authOf(table.value, `${file}:${table.line}`)] as const,
  )
  return {
    configPath,
    mirrors: new Map(
      tablesAt(registry, {key: 'mirrors', file}).map(([host, {value, line}]) => [
        host,
        {endpoints: textsAt(value, {key: 'endpoint', file}), at: `${file}:${line}`},
      ]),
    ),
    auths: new Map([
      ...configs.flatMap(([host, {value}]) => {
        const auth = value.get('auth')
        return auth?.value instanceof TomlTable
          ? [[host, authOf(auth.value, `${file}:${auth.line}`)] as const]
          : []
      }),
      ...endpointAuths,
    ]),
    tls: new Map(
      configs.flatMap(([host, {value}]) => {
        const tls = value.get('tls')
        return tls?.value instanceof TomlTable
          ? [[host, tlsOf(tls.value, `${file}:${tls.line}`)] as const]
          : []
      }),
    ),
    hasConfigs: configs.length > 0 || endpointAuths.length > 0,
    localPull,
  }
}

interface Key {
  readonly key: string
  readonly file: string
}

function tablesAt(
  table: TomlTable,
  {key, file}: Key,
): readonly (readonly [string, {readonly value: TomlTable; readonly line: number}])[] {
  const node = table.get(key)
  if (node === undefined) return []
  if (!(node.value instanceof TomlTable))
    throw new SettingsFault(`${file}:${node.line}: ${key} is not a table`)
  return [...node.value.entries].map(([name, {value, line}]) => {
    if (!(value instanceof TomlTable))
      throw new SettingsFault(`${file}:${line}: ${key}."${name}" is not a table`)
    return [name, {value, line}]
  })
}

function locatedText(table: TomlTable, {key, file}: Key): Located<string> | undefined {
  const node = table.get(key)
  if (node === undefined) return undefined
  if (typeof node.value !== 'string') throw new SettingsFault(`${file}:${node.line}: ${key} is not text`)
  return {value: node.value, at: `${file}:${node.line}`}
}

function textsAt(table: TomlTable, {key, file}: Key): readonly Located<string>[] {
  const node = table.get(key)
  if (node === undefined) return []
  if (!isTomlList(node.value)) throw new SettingsFault(`${file}:${node.line}: ${key} is not a list`)
  return node.value.map(({value, line}) => {
    if (typeof value !== 'string')
      throw new SettingsFault(`${file}:${line}: ${key} has an item that is not text`)
    return {value, at: `${file}:${line}`}
  })
}

function authOf(table: TomlTable, at: string): RegistryAuth {
  const login = readLogin({
    username: table.text('username'),
    password: table.text('password'),
    identityToken: table.text('identitytoken'),
    auth: table.text('auth'),
  })
  return {...login, at}
}

function tlsOf(table: TomlTable, at: string): RegistryTls {
  const ca = table.text('ca_file')
  const client = ['cert_file', 'key_file'].flatMap((key) => table.text(key) ?? [])
  return {
    ca: ca === undefined || ca === '' ? undefined : ca,
    client,
    skipVerify: table.get('insecure_skip_verify')?.value === true,
    at,
  }
}

function localPullReason(cri: TomlTable, file: string): Located<string> | undefined {
  const values: readonly (readonly [string, TomlNode | undefined, (value: TomlNode['value']) => boolean])[] =
    [
      ['use_local_image_pull', cri.get('use_local_image_pull'), (value) => value === true],
      ['discard_unpacked_layers', setting(cri, 'discard_unpacked_layers'), (value) => value === true],
      [
        'disable_snapshot_annotations',
        setting(cri, 'disable_snapshot_annotations'),
        (value) => value === false,
      ],
      ['max_concurrent_downloads', cri.get('max_concurrent_downloads'), (value) => value !== 3n],
      ['image_pull_with_sync_fs', cri.get('image_pull_with_sync_fs'), (value) => value === true],
    ]
  const [found] = values.flatMap(([key, node, isReason]) =>
    node !== undefined && isReason(node.value) ? [{value: key, at: `${file}:${node.line}`}] : [],
  )
  return found
}

/** Up to version 2 of the file these two are in the table `containerd` of the plugin. */
function setting(cri: TomlTable, key: string): TomlNode | undefined {
  return cri.get(key) ?? cri.table('containerd')?.get(key)
}
