import type {NodeFiles} from '../files/node-files.js'

export interface HostCertificates {
  /** Paths of the `.crt` files, sorted by name. */
  readonly ca: readonly string[]
  /** Set if the directory makes every request to the host fail. */
  readonly problem?: string
}

/**
 * The certificates for `host[:port]`: those of the first of the given directories that has one for it. Directories are not
 * merged, and docker.io is written `docker.io`.
 */
export function hostCertificates(
  host: string,
  {files, roots}: {readonly files: NodeFiles; readonly roots: readonly string[]},
): HostCertificates {
  const directory = roots.map((root) => `${root}/${host}`).find((path) => files.isDirectory(path))
  if (directory === undefined) return {ca: []}
  const prefix = `${directory}/`
  const names = files.paths
    .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
    .map((path) => path.slice(prefix.length))
  const ca = names.filter((name) => name.endsWith('.crt')).map((name) => prefix + name)
  const problem = names.map((name) => unpaired(name, names)).find((text) => text !== undefined)
  return problem === undefined ? {ca} : {ca, problem: `${problem} in ${directory}`}
}

function unpaired(name: string, names: readonly string[]): string | undefined {
  if (name.endsWith('.cert')) {
    const key = name.replace(/\.cert$/, '.key')
    if (!names.includes(key))
      return `missing key ${key} for client certificate ${name}. Note that CA certificates should use the extension .crt`
  }
  if (name.endsWith('.key')) {
    const certificate = name.replace(/\.key$/, '.cert')
    if (!names.includes(certificate)) return `missing client certificate ${certificate} for key ${name}`
  }
  return undefined
}
