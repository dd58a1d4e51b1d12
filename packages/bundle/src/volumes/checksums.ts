import {basename, dirname, join} from 'node:path'
import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {parseVolumeName} from './volume-names.js'

/** The entry of a bundle's file in the checksum file beside it. */
export interface FileChecksum {
  /** The file name without a directory. */
  readonly name: string
  readonly size: number
  /** SHA-256 in hex, of the whole file. */
  readonly sha256: string
  /** SHA-256 in hex of the first `HEAD_BYTES`: enough to distinguish volumes without reading them. */
  readonly head: string
}

/** The number of bytes at a volume's start that `head` covers. */
export const HEAD_BYTES = 64 * 1024

/** Returns a bundle's path without the number of a volume. */
export function bundleName(path: string): string {
  return join(dirname(path), parseVolumeName(path)?.name ?? basename(path))
}

/** Returns the path of the checksum file of a bundle. */
export function checksumsPath(path: string): string {
  return `${path}.SHA256SUMS`
}

/**
 * Returns a checksum file for `sha256sum -c`. Comments with the sizes and heads distinguish volumes. A single file has none, because
 * the `sha256sum` of BusyBox takes a comment for a file that differs.
 */
export function formatChecksums(files: readonly FileChecksum[]): string {
  const lines = files.flatMap(({name, size, sha256, head}) => [
    ...(files.length === 1 ? [] : [`# ${name} size ${size} head ${head}`]),
    `${sha256}  ${name}`,
  ])
  return lines.map((line) => `${line}\n`).join('')
}

/** Returns the checksum file of a directory, by its files' paths in it: `sha256sum -c` reads it beside the directory. */
export function formatDirectoryChecksums(directory: string, files: ReadonlyMap<string, string>): string {
  return [...files]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([path, sha256]) => `${sha256}  ${directory}/${path}\n`)
    .join('')
}

/**
 * Parses the checksum file of a directory. @returns SHA-256 in hex by the path in the directory
 * @throws {MirrorError} SOURCE_CORRUPT for a line that is no checksum of a file in it, LIMIT_EXCEEDED
 */
export function parseDirectoryChecksums(
  text: string,
  path: string,
  directory: string,
): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#') || line.trim() === '') continue
    const [, sha256, name = ''] = LINE.exec(line) ?? []
    const inside = name.startsWith(`${directory}/`) ? name.slice(directory.length + 1) : undefined
    if (sha256 === undefined || inside === undefined || !isClean(inside)) throw damaged(path, line)
    files.set(inside, sha256)
    if (files.size > limits.tarEntries) {
      throw new MirrorError('LIMIT_EXCEEDED', `${path} lists over ${limits.tarEntries} files`, {
        side: 'source',
      })
    }
  }
  return files
}

function isClean(path: string): boolean {
  return !path.includes('\\') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

const COMMENT = /^# (.+) size (\d+) head ([0-9a-f]{64})$/
const LINE = /^([0-9a-f]{64}) [ *](.+)$/

/**
 * Parses a checksum file. Without our comments, as `sha256sum` writes it, `size` and `head` are absent.
 * @throws {MirrorError} SOURCE_CORRUPT, LIMIT_EXCEEDED
 */
export function parseChecksums(
  text: string,
  path: string,
): readonly (Pick<FileChecksum, 'name' | 'sha256'> & Partial<FileChecksum>)[] {
  const comments = new Map<string, Pick<FileChecksum, 'size' | 'head'>>()
  const files: (Pick<FileChecksum, 'name' | 'sha256'> & Partial<FileChecksum>)[] = []
  for (const line of text.split(/\r?\n/)) {
    const [, described, size, head] = COMMENT.exec(line) ?? []
    if (described !== undefined && head !== undefined) comments.set(described, {size: Number(size), head})
    if (line.startsWith('#') || line.trim() === '') continue
    const [, sha256, name] = LINE.exec(line) ?? []
    if (sha256 === undefined || name === undefined || /[/\\]/.test(name)) throw damaged(path, line)
    files.push({name, sha256, ...comments.get(name)})
  }
  if (files.length > limits.volumes) {
    throw new MirrorError('LIMIT_EXCEEDED', `${path} lists over ${limits.volumes} files`, {side: 'source'})
  }
  return files
}

function damaged(path: string, line: string): MirrorError {
  return new MirrorError(
    'SOURCE_CORRUPT',
    `${path} has a line that is no checksum: ${JSON.stringify(line.slice(0, 100))}`,
    {side: 'source', advice: {kind: 'copy-again'}},
  )
}
