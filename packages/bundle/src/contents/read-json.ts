import {jsonShape, limits, MirrorError, readAll} from '@airgap-mirror/oci-client/model'
import type {ReadOptions} from '../bytes/byte-source.js'
import type {StoredFile} from '../files/file-tree.js'

/**
 * Reads a JSON member of a bundle.
 * @throws {MirrorError} LIMIT_EXCEEDED over `limit` bytes, `limits.jsonValues` or `limits.jsonDepth`; MANIFEST_INVALID if
 * it is not JSON
 */
export async function readJson(
  file: StoredFile,
  options: ReadOptions & {
    readonly limit: number
    /** False for configs, whose texts may be in other encodings than UTF-8. Default true. */
    readonly strict?: boolean
  },
): Promise<{readonly json: unknown; readonly bytes: Uint8Array}> {
  if (file.size > options.limit) {
    throw new MirrorError(
      'LIMIT_EXCEEDED',
      `${file.name} has ${file.size} bytes: over the limit of ${options.limit}`,
      {side: 'source'},
    )
  }
  const bytes = await readAll(file.stream({signal: options.signal}), {...options, what: file.name})
  const {values, depth} = jsonShape(bytes)
  if (values > limits.jsonValues || depth > limits.jsonDepth) {
    const what =
      depth > limits.jsonDepth
        ? `nests over ${limits.jsonDepth} levels deep`
        : `holds over ${limits.jsonValues} values`
    throw new MirrorError('LIMIT_EXCEEDED', `${file.name} ${what}`, {side: 'source'})
  }
  try {
    return {
      json: JSON.parse(new TextDecoder('utf-8', {fatal: options.strict ?? true}).decode(bytes)) as unknown,
      bytes,
    }
  } catch (cause) {
    throw invalid(file.name, 'is not JSON', cause)
  }
}

export function invalid(where: string, what: string, cause?: unknown): MirrorError {
  return new MirrorError('MANIFEST_INVALID', `${where} ${what}`, {
    side: 'source',
    advice: {kind: 'make-again'},
    cause,
  })
}
