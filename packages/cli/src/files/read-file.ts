import {open} from 'node:fs/promises'
import {limits, MirrorError, messageOf, type ErrorCode} from '@airgap-mirror/oci-client/model'

export interface ReadFileOptions {
  /** The flag that named the file, for messages. */
  readonly flag: string
  readonly limit: number
  readonly code: ErrorCode
  /** True if bytes that are no text are replaced, because the reader of the text says more about them. */
  readonly isLenient?: boolean
}

/**
 * Reads a text file that a flag names; `-` is standard input.
 * @throws {MirrorError} `code` if it cannot be read, LIMIT_EXCEEDED
 */
export async function readTextFile(
  path: string,
  {flag, limit, code, isLenient = false}: ReadFileOptions,
): Promise<string> {
  let text: string | undefined
  try {
    const bytes = path === '-' ? await readStream(process.stdin, limit) : await readFile(path, limit)
    if (bytes !== undefined) text = new TextDecoder('utf-8', {fatal: !isLenient}).decode(bytes)
  } catch (cause) {
    throw new MirrorError(code, `${flag} ${path} cannot be read: ${messageOf(cause)}`, {cause})
  }
  if (text === undefined) {
    throw new MirrorError('LIMIT_EXCEEDED', `${flag} ${path} is over the limit of ${limit} bytes`)
  }
  if (hasMoreLines(text, limits.textLines)) {
    throw new MirrorError('LIMIT_EXCEEDED', `${flag} ${path} is over the limit of ${limits.textLines} lines`)
  }
  return text
}

/** Counts without building a list of all lines, because the limit is there to prevent such a list. */
function hasMoreLines(text: string, most: number): boolean {
  let lines = 1
  for (let at = text.indexOf('\n'); at >= 0 && lines <= most; at = text.indexOf('\n', at + 1)) lines += 1
  return lines > most
}

async function readFile(path: string, limit: number): Promise<Uint8Array | undefined> {
  const file = await open(path)
  try {
    return await readStream(file.createReadStream({autoClose: false}), limit)
  } finally {
    await file.close()
  }
}

async function readStream(
  stream: AsyncIterable<Uint8Array | string>,
  limit: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    size += bytes.length
    if (size > limit) return undefined
    chunks.push(bytes)
  }
  return Buffer.concat(chunks, size)
}
