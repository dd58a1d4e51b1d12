import {posix} from 'node:path'
import {fileNamesIn, type NodeFiles} from '../files/node-files.js'
import {parseHostsToml} from './parse-hosts-toml.js'
import {
  certificateFault,
  NO_TLS,
  ownHost,
  unseenCertificates,
  type HostTls,
  type RegistryHost,
} from './registry-host.js'

/** The hosts for a registry, or the message with which every pull from it fails. */
export interface HostList {
  readonly hosts: readonly RegistryHost[]
  readonly message?: string
  readonly assumed: readonly string[]
  readonly warnings: readonly string[]
}

export interface HostDirectoryOptions {
  /** Directories such as /etc/containerd/certs.d, in the order in which they are looked through. */
  readonly roots: readonly string[]
  readonly files: NodeFiles
  readonly knowsReferrers: boolean
  readonly needsHostTable: boolean
}

/** Reads the host directory of a registry: the first one that exists counts, and nothing is merged. */
export function hostsOfRegistry(registry: string, options: HostDirectoryOptions): HostList {
  const {roots, files} = options
  const names = directoryNames(registry)
  for (const root of roots) {
    for (const name of names) {
      const directory = posix.join(root, name)
      if (files.text(directory) !== undefined)
        return failed(`${posix.join(directory, 'hosts.toml')}: not a directory`)
      if (files.isDirectory(directory)) return readHostDirectory(registry, {directory, options})
    }
  }
  return {
    hosts: [
      ownHost(registry, {
        ...NO_TLS,
        source: `no directory for ${registry} in ${roots.join(' or ') || 'any place'}`,
      }),
    ],
    assumed: [],
    warnings: aliasDirectories(registry, options),
  }
}

/** `HOST_PORT_` if there is a port, then `HOST[:PORT]`, then `_default`. */
function directoryNames(registry: string): readonly string[] {
  const colon = registry.lastIndexOf(':')
  const legacy = colon > 0 ? [`${registry.slice(0, colon)}_${registry.slice(colon + 1)}_`] : []
  return [...legacy, registry, '_default']
}

function readHostDirectory(
  registry: string,
  {directory, options}: {readonly directory: string; readonly options: HostDirectoryOptions},
): HostList {
  const {files} = options
  const path = posix.join(directory, 'hosts.toml')
  if (files.isDirectory(path)) return failed(`read ${path}: is a directory`)
  const text = files.text(path) ?? ''
  const hidden = hiddenDirectories(registry, {directory, options})
  if (text === '') {
    const source = `${directory}/ has no hosts.toml: its certificate files count for the registry of the image`
    const warning = `${directory} is used although it has no hosts.toml${hidden === '' ? '' : `, and hides ${hidden}`}; the registry of the image is asked`
    return checked([ownHost(registry, {...certificateFiles(directory, files), source})], {
      files,
      warnings: [warning],
    })
  }
  const {file, fault} = parseHostsToml(text, {path, ...options})
  if (fault !== undefined) {
    const source = `${path} cannot be read (line ${fault.line}): the certificate files of its directory count for the registry of the image`
    const warning = `${path} is ignored because of line ${fault.line}: ${fault.message}; the registry of the image is asked`
    return checked([ownHost(registry, {...certificateFiles(directory, files), source})], {
      files,
      warnings: [warning],
    })
  }
  const {hosts, own, warnings} = file
  if (own === undefined) return checked(hosts, {files, warnings})
  const {why, ...tls} = own
  const asked = registry === 'docker.io' ? '; docker.io is registry-1.docker.io' : ''
  const last = ownHost(registry, {
    ...tls,
    source: `${path}: ${why}, so the registry of the image is asked last${asked}`,
  })
  return checked([...hosts, last], {files, warnings})
}

function checked(
  hosts: readonly RegistryHost[],
  {files, warnings}: {readonly files: NodeFiles; readonly warnings: readonly string[]},
): HostList {
  const message = hosts.map((host) => certificateFault(host, files)).find((found) => found !== undefined)
  if (message !== undefined) return {...failed(message), warnings}
  const unseen = [...new Set(hosts.flatMap((host) => unseenCertificates(host, files)))]
  return {
    hosts,
    assumed: unseen.map((path) => `${path} is on the node; it is not among the given files`),
    warnings,
  }
}

function failed(message: string): HostList {
  return {hosts: [], message, assumed: [], warnings: []}
}

/** The certificate files of a directory, by the endings that Docker uses. */
function certificateFiles(directory: string, files: NodeFiles): HostTls {
  const names = fileNamesIn(files, directory)
  const client = names
    .filter((name) => name.endsWith('.cert'))
    .map((name) => {
      const key = `${name.slice(0, -5)}.key`
      return [name, ...(names.includes(key) ? [key] : [])].map((own) => `${directory}/${own}`)
    })
  const ca = names.filter((name) => name.endsWith('.crt')).map((name) => `${directory}/${name}`)
  return {...NO_TLS, ca, client}
}

/** Later directories that would have had a hosts.toml. */
function hiddenDirectories(
  registry: string,
  {directory, options}: {readonly directory: string; readonly options: HostDirectoryOptions},
): string {
  return options.roots
    .flatMap((root) => directoryNames(registry).map((name) => posix.join(root, name, 'hosts.toml')))
    .filter((path) => posix.dirname(path) !== directory && options.files.text(path) !== undefined)
    .join(' and ')
}

/** Docker Hub is docker.io in image names: directories under its other names are never read. */
function aliasDirectories(registry: string, {roots, files}: HostDirectoryOptions): readonly string[] {
  if (registry !== 'docker.io') return []
  return roots
    .flatMap((root) => ['registry-1.docker.io', 'index.docker.io'].map((name) => posix.join(root, name)))
    .filter((directory) => files.isDirectory(directory))
    .map(
      (directory) =>
        `${directory} is ignored because image names say docker.io: the public registry is asked`,
    )
}
