import {limits, MirrorError, readAll} from '@airgap-mirror/oci-client/model'
import type {ReadOptions} from '../bytes/byte-source.js'
import type {StoredFile} from '../files/file-tree.js'

/**
 * Reads a JSON member of a bundle.
 * @throws {MirrorError} LIMIT_EXCEEDED over `limit` bytes or `limits.jsonValues`, MANIFEST_INVALID where it is no JSON
 */
export const readJson = async (
  file: StoredFile,
  options: ReadOptions & {readonly limit: number},
): Promise<{readonly json: unknown; readonly bytes: Uint8Array}> => {
  if (file.size > options.limit) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${file.name} has ${file.size} bytes: over the limit of ${options.limit}`,
      {side: 'source'},
    )
  }
  const bytes = await readAll(file.stream({signal: options.signal}), {...options, what: file.name})
  if (countValues(bytes) > limits.jsonValues) {
    throw new MirrorError('LIMIT_EXCEEDED', `${file.name} holds over ${limits.jsonValues} JSON values`, {
      side: 'source',
    })
  }
  try {
    return {json: JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes)) as unknown, bytes}
  } catch (cause) {
    throw invalid(file.name, 'is not JSON', cause)
  }
}

const [QUOTE, BACKSLASH, COMMA, LIST, OBJECT] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b]

/** About how many values a parser would make: text of a few bytes can become many times its size in memory. */
const countValues = (bytes: Uint8Array): number => {
  let count = 1
  let inText = false
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (byte === QUOTE) inText = !inText
    else if (inText) at += byte === BACKSLASH ? 1 : 0
    else if (byte === COMMA || byte === LIST || byte === OBJECT) count += 1
  }
  return count
}

export const invalid = (where: string, what: string, cause?: unknown): MirrorError =>
  new MirrorError('MANIFEST_INVALID', `${where} ${what}`, {
    side: 'source',
    hint: 'The bundle is damaged or was made wrongly: fetch or make it again.',
    cause,
  })
