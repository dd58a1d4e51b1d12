import {isLoopback, splitHostPort} from '../go-url.js'
import type {NodeFiles} from '../files/node-files.js'

/** An entry of containerd's list of hosts for a registry. */
export interface RegistryHost {
  readonly scheme: string
  /** With the port as it is written. */
  readonly host: string
  /** The API root, before the repository. */
  readonly path: string
  readonly canPull: boolean
  readonly canResolve: boolean
  /** Paths on the node. */
  readonly ca: readonly string[]
  /** Pairs of certificate and key; the key is absent if it is in the same file. */
  readonly client: readonly (readonly string[])[]
  /** Absent if it is not set: any value, `false` too, counts as a TLS setting. */
  readonly skipVerify?: boolean
  /** A header of the file carries a credential. */
  readonly sendsAuthorization: boolean
  /** `file:line` and the rule in words. */
  readonly source: string
  /** The files have TLS settings for the host which do not reach it. */
  readonly expectsTlsError?: boolean
  /** RE2 rules for the repository, of K3s alone. */
  readonly rewrites?: readonly (readonly [string, string])[]
}

/** TLS settings of a certificate directory or of a root entry without `server`. */
export type HostTls = Pick<RegistryHost, 'ca' | 'client' | 'skipVerify' | 'sendsAuthorization'>

export const NO_TLS: HostTls = {ca: [], client: [], sendsAuthorization: false}

/** The host that containerd asks without a configured one, or after them: the image's own registry. */
export function ownHost(registry: string, tls: HostTls & {readonly source: string}): RegistryHost {
  const abilities = {path: '/v2', canPull: true, canResolve: true}
  if (registry === 'docker.io') return {scheme: 'https', host: 'registry-1.docker.io', ...abilities, ...tls}
  const {port} = splitHostPort(registry)
  if (!isLoopback(registry)) return {scheme: 'https', host: registry, ...abilities, ...tls}
  const scheme = port === undefined || port === '443' ? 'https' : 'http'
  const trusting = port === '80' ? tls : {...tls, skipVerify: true}
  return {scheme, host: registry, ...abilities, ...trusting}
}

/** True if a http URL is tried as https first: it has TLS settings and its port does not rule https out. */
export function triesHttpsFirst({scheme, host, ca, client, skipVerify}: RegistryHost): boolean {
  const hasTls = ca.length > 0 || client.length > 0 || skipVerify !== undefined
  return scheme === 'http' && hasTls && splitHostPort(host).port !== '80'
}

/** The message with which containerd gives up on a registry: a certificate that it cannot read. */
export function certificateFault(host: HostTls, files: NodeFiles): string | undefined {
  for (const path of host.ca) {
    const text = files.text(path)
    if (text === undefined && isSurelyMissing(path, files))
      return `unable to read CA cert "${path}": open ${path}: no such file or directory`
    if (text !== undefined && !text.includes('-----BEGIN CERTIFICATE-----'))
      return `unable to load CA cert "${path}"`
  }
  const missing = host.client
    .flat()
    .find((path) => files.text(path) === undefined && isSurelyMissing(path, files))
  return missing === undefined
    ? undefined
    : `unable to read CERT file "${missing}": open ${missing}: no such file or directory`
}

/** Certificates that are outside of the given files, so that nothing is known of them. */
export function unseenCertificates(host: HostTls, files: NodeFiles): readonly string[] {
  return [...host.ca, ...host.client.flat()].filter((path) => files.text(path) === undefined)
}

/** A single file shows nothing of its directory, and neither does a directory that was not given. */
function isSurelyMissing(path: string, files: NodeFiles): boolean {
  return files.paths.length > 1 && files.isDirectory(path.slice(0, path.lastIndexOf('/')))
}
