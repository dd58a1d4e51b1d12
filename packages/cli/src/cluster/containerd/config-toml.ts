import {defined} from '@airgap-mirror/oci-client/model'
import {posix} from 'node:path'
import type {Version} from '../explanation.js'
import type {NodeFiles} from '../files/node-files.js'
import {readToml} from '../toml/read-toml.js'
import {isTomlList, type TomlDocument, type TomlTable} from '../toml/toml-document.js'
import {readCriSettings, SettingsFault, type CriSettings} from './cri-settings.js'
import {matchingPaths} from './matching-paths.js'

export const CONFIG_TOML = '/etc/containerd/config.toml'
const OLD_PLUGIN = 'io.containerd.grpc.v1.cri'
const NEW_PLUGIN = 'io.containerd.cri.v1.images'

export type ConfigToml =
  | {readonly settings: CriSettings; readonly warnings: readonly string[]; readonly message?: undefined}
  /** With `message` nothing at all can be pulled. */
  | {readonly settings?: undefined; readonly warnings: readonly string[]; readonly message: string}

const NOTHING: CriSettings = {mirrors: new Map(), auths: new Map(), tls: new Map(), hasConfigs: false}

/** Reads config.toml and what it imports, later files over earlier ones. Absent if there is no such file. */
export function readConfigToml(files: NodeFiles, version: Version): ConfigToml | undefined {
  if (files.text(CONFIG_TOML) === undefined) return undefined
  const pending = [CONFIG_TOML]
  const loaded = new Set<string>()
  const warnings: string[] = []
  let settings = NOTHING
  for (let path = pending.shift(); path !== undefined; path = pending.shift()) {
    if (loaded.has(path)) continue
    loaded.add(path)
    const text = files.text(path)
    if (text === undefined) {
      return {
        message: `failed to load TOML from ${CONFIG_TOML}: open ${path}: no such file or directory`,
        warnings,
      }
    }
    const {document, fault} = readToml(text)
    if (fault !== undefined) {
      return {
        message: `failed to load TOML from ${path}: failed to unmarshal TOML at row ${fault.line}: ${fault.message}`,
        warnings,
      }
    }
    const message = refusal(document, {path, version})
    if (message !== undefined) return {message, warnings}
    try {
      const {tables, ignored} = criTables(document, {path, version})
      warnings.push(...ignored)
      for (const table of tables) settings = merged(settings, readCriSettings(table, path), version)
    } catch (error) {
      if (error instanceof SettingsFault)
        return {message: `invalid plugin config: ${error.message}`, warnings}
      throw error
    }
    pending.push(...importsOf(document, path).flatMap((pattern) => matchingPaths(files, pattern)))
  }
  return {settings, warnings}
}

interface File {
  readonly path: string
  readonly version: Version
}

function fileVersion(document: TomlDocument): number {
  const version = document.root.get('version')?.value
  return typeof version === 'bigint' && version > 0n ? Number(version) : 1
}

/** The message with which containerd does not start, or starts without its CRI plugin. */
function refusal(document: TomlDocument, {path, version}: File): string | undefined {
  const newest = version.major < 2 ? 2 : version.major > 2 || version.minor >= 3 ? 4 : 3
  const own = fileVersion(document)
  if (own > newest) {
    return `failed to load TOML from ${path}: expected containerd config version equal to or less than \`${newest}\`, got \`${own}\``
  }
  const names = new Set(['cri', OLD_PLUGIN, NEW_PLUGIN])
  const disabled = document.root.get('disabled_plugins')?.value
  const [found] = isTomlList(disabled)
    ? disabled.filter(({value}) => typeof value === 'string' && names.has(value))
    : []
  return found === undefined
    ? undefined
    : `the CRI plugin is disabled: ${path}:${found.line} has it in disabled_plugins`
}

/** The tables that count in a file of its version, and the reasons why others do not. */
function criTables(
  document: TomlDocument,
  {path, version}: File,
): {readonly tables: readonly TomlTable[]; readonly ignored: readonly string[]} {
  const own = fileVersion(document)
  const plugins = document.root.table('plugins')
  const counted =
    own === 1
      ? ['cri']
      : own === 2
        ? version.major < 2
          ? [OLD_PLUGIN]
          : [NEW_PLUGIN, OLD_PLUGIN]
        : [NEW_PLUGIN]
  const ignored = ['cri', OLD_PLUGIN, NEW_PLUGIN].flatMap((name) => {
    const node = plugins?.get(name)
    if (node === undefined || counted.includes(name)) return []
    const told =
      document.root.get('version') === undefined
        ? 'has no version line and so is of version 1'
        : `is of version ${own}`
    return [
      `the table plugins."${name}" in ${path}:${node.line} is ignored because the file ${told}, in which the plugin is called "${counted.at(-1) ?? ''}"; its registry settings do nothing, and the public registry is asked`,
    ]
  })
  return {tables: counted.flatMap((name) => plugins?.table(name) ?? []), ignored}
}

function importsOf(document: TomlDocument, path: string): readonly string[] {
  const imports = document.root.get('imports')?.value
  if (!isTomlList(imports)) return []
  return imports.flatMap(({value}) =>
    typeof value === 'string'
      ? [value.startsWith('/') ? posix.normalize(value) : posix.join(posix.dirname(path), value)]
      : [],
  )
}

/** containerd 1.x replaces the whole table of a plugin; 2.x merges it key by key. */
function merged(earlier: CriSettings, later: CriSettings, {major}: Version): CriSettings {
  if (major < 2) return later
  return {
    ...earlier,
    ...defined(later),
    mirrors: new Map([...earlier.mirrors, ...later.mirrors]),
    auths: new Map([...earlier.auths, ...later.auths]),
    tls: new Map([...earlier.tls, ...later.tls]),
    hasConfigs: earlier.hasConfigs || later.hasConfigs,
  }
}
