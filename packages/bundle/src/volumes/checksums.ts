import {limits, MirrorError} from '@airgap-mirror/oci-client/model'

/** A file of a bundle as the text beside it lists it. */
export interface FileChecksum {
  /** Without a directory. */
  readonly name: string
  readonly size: number
  /** SHA-256 in hex, of the whole file. */
  readonly sha256: string
  /** SHA-256 in hex of the first `HEAD_BYTES`: enough to tell one volume from another without reading it. */
  readonly head: string
}

/** Bytes at a volume's start that `head` is of. */
export const HEAD_BYTES = 64 * 1024

/** What the text is called beside a bundle of this path. */
export function checksumsPath(path: string): string {
  return `${path}.SHA256SUMS`
}

/** The text that `sha256sum -c` reads: it skips comments, in which sizes and heads are. */
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
 * Reads such a text, also one of `sha256sum` without comments; `size` and `head` are missing then.
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
