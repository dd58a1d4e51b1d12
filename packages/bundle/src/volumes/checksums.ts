import {limits, MirrorError} from '@airgap-mirror/oci-client/model'

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

/** Returns the path of the checksum file of a bundle. */
export function checksumsPath(path: string): string {
  return `${path}.SHA256SUMS`
}

/** Returns a checksum file for `sha256sum -c`, which skips the comments with sizes and heads. */
export function formatChecksums(files: readonly FileChecksum[]): string {
  const lines = files.flatMap(({name, size, sha256, head}) => [
    `# ${name} size ${size} head ${head}`,
    `${sha256}  ${name}`,
  ])
  return lines.map((line) => `${line}\n`).join('')
}

const COMMENT = /^# (\S.*) size (\d+) head ([0-9a-f]{64})$/
const LINE = /^([0-9a-f]{64}) [ *](\S.*)$/

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
