import {readdir, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {certificatesIn, readIdentity} from '@airgap-mirror/oci-client/internal'
import {limits, messageOf} from '@airgap-mirror/oci-client/model'
import {readTextFile} from '../files/read-file.js'
import type {Environment} from '../settings/environment.js'

/** The files that were read, and those that could not be. */
interface Account {
  /** In order. */
  readonly used: readonly string[]
  /** Files that cannot be used, with the reason. */
  readonly problems: readonly string[]
}

/** Certificates of `certs.d` for one registry. */
export interface HostCertificates extends Account {
  /** PEM texts for the registry alone. */
  readonly hostCa: readonly string[]
  /** PEM texts of the client's certificate and key. */
  readonly identity?: {readonly clientCert: string; readonly clientKey: string}
}

/** Certificates of `SSL_CERT_FILE` and `SSL_CERT_DIR`, for all hosts. */
export interface MachineCertificates extends Account {
  /** PEM; empty if there is none. */
  readonly extraCa: string
}

/** The most files of a directory, and how many are read at once. */
const MOST_FILES = 4096
const AT_ONCE = 64
const BEGIN = '-----BEGIN CERTIFICATE-----'

/** Returns the directories in which podman and docker look for one named `host[:port]`, in podman's order. */
export function certificateRoots(home: string): readonly string[] {
  return [join(home, '.config/containers/certs.d'), '/etc/containers/certs.d', '/etc/docker/certs.d']
}

/**
 * Reads the first directory named after a registry: `*.crt` are authorities, `NAME.cert` and `NAME.key` the client's
 * certificate. Never rejects.
 * @param registry `host[:port]`
 */
export async function hostCertificates(
  registry: string,
  {roots, wantsIdentity}: {readonly roots: readonly string[]; readonly wantsIdentity: boolean},
): Promise<HostCertificates> {
  const found = new Found()
  const directory = await hostDirectory(registry, roots)
  if (directory === undefined) return {...found.account(), hostCa: []}
  const names = await found.list(directory)
  const hostCa: string[] = []
  for (const name of names.filter((one) => one.endsWith('.crt'))) {
    const pem = await found.read(join(directory, name), certificatesIn)
    if (pem !== undefined) hostCa.push(pem)
  }
  const identity = wantsIdentity ? await found.identity(directory, names) : undefined
  return {...found.account(), hostCa, identity}
}

let remembered: {readonly key: string; readonly certificates: Promise<MachineCertificates>} | undefined

/** Reads the files that the variables name, once. Never rejects. */
export function machineCertificates(env: Environment): Promise<MachineCertificates> {
  const {SSL_CERT_FILE: file = '', SSL_CERT_DIR: directories = ''} = env
  const key = JSON.stringify([file, directories])
  if (remembered?.key !== key) remembered = {key, certificates: readMachine(file, directories)}
  return remembered.certificates
}

async function readMachine(file: string, directories: string): Promise<MachineCertificates> {
  const found = new Found()
  // Each certificate is checked when the first connection needs it: the file is often the system's whole bundle.
  const pems = file === '' ? [] : [await found.read(file, hasCertificate)]
  for (const directory of directories.split(':').filter((one) => one !== ''))
    pems.push(await found.directory(directory))
  return {...found.account(), extraCa: pems.filter((pem) => pem !== undefined).join('\n')}
}

function hasCertificate(pem: string): void {
  if (!pem.includes(BEGIN)) throw new Error('it holds no certificate in PEM')
}

async function hostDirectory(registry: string, roots: readonly string[]): Promise<string | undefined> {
  if (registry.includes('/') || registry.startsWith('..')) return undefined
  for (const path of roots.map((root) => join(root, registry))) {
    // A root that may not be looked into is passed over, as podman does.
    const stats = await stat(path).catch(() => undefined)
    if (stats?.isDirectory() === true) return path
  }
  return undefined
}

/** Reads files and keeps account of them. */
class Found {
  readonly used: string[] = []
  readonly problems: string[] = []

  account(): Account {
    return {used: this.used, problems: this.problems}
  }

  async list(directory: string): Promise<readonly string[]> {
    try {
      return (await readdir(directory)).toSorted().slice(0, MOST_FILES)
    } catch (error) {
      this.#refuse(directory, error)
      return []
    }
  }

  /** Returns the text of a file that the check lets pass. */
  async read(path: string, check: (text: string) => unknown): Promise<string | undefined> {
    try {
      const text = await textOf(path)
      check(text)
      this.used.push(path)
      return text
    } catch (error) {
      this.#refuse(path, error)
      return undefined
    }
  }

  /** Returns the certificates of a directory. Other files in it are passed over: it may hold keys and indexes too. */
  async directory(path: string): Promise<string> {
    const names = await this.list(path)
    const pems: string[] = []
    let size = 0
    for (let at = 0; at < names.length && size <= limits.certificateBytes; at += AT_ONCE) {
      const some = names.slice(at, at + AT_ONCE)
      const texts = await Promise.all(some.map((name) => textOf(join(path, name)).catch(() => '')))
      pems.push(...texts.filter((text) => text.includes(BEGIN)))
      size = pems.reduce((sum, {length}) => sum + length, 0)
    }
    if (size > limits.certificateBytes) {
      this.#refuse(path, new Error(`it holds more than ${limits.certificateBytes} bytes`))
      return ''
    }
    if (pems.length > 0) this.used.push(path)
    return pems.join('\n')
  }

  /** Returns the first `NAME.cert` with a `NAME.key` that belongs to it. */
  async identity(directory: string, names: readonly string[]): Promise<HostCertificates['identity']> {
    for (const name of names.filter((one) => one.endsWith('.cert'))) {
      const cert = join(directory, name)
      const key = cert.replace(/\.cert$/, '.key')
      try {
        const [clientCert, clientKey] = await Promise.all([textOf(cert), textOf(key)])
        readIdentity({clientCert, clientKey})
        this.used.push(cert, key)
        return {clientCert, clientKey}
      } catch (error) {
        this.#refuse(cert, error)
      }
    }
    return undefined
  }

  #refuse(path: string, error: unknown): void {
    this.problems.push(`${path} is not used: ${messageOf(error)}`)
  }
}

/** @throws for anything but a regular file of a fitting size: a pipe would be waited for */
async function textOf(path: string): Promise<string> {
  if (!(await stat(path)).isFile()) throw new Error('it is not a regular file')
  return readTextFile(path, {flag: 'the file', limit: limits.certificateBytes, code: 'CERTIFICATE_INVALID'})
}
