import type {Contents} from './contents.js'
import type {ReadableRepository} from './registry.js'

/**
 * Returns a sentence about the first content that a manifest names and the repository lacks, or has in another size.
 * Children of an index were checked when they came.
 */
export async function unknownContent(
  {children}: Contents,
  repository: ReadableRepository,
): Promise<string | undefined> {
  for (const {digest, size, foreign, isBlob} of children) {
    const found = isBlob
      ? (await repository.blob(digest))?.size
      : (await repository.manifest(digest))?.bytes.length
    if (found === undefined && !(isBlob && foreign))
      return `${isBlob ? 'blob' : 'manifest'} ${digest} is missing`
    if (found !== undefined && found !== size) return `${digest} has ${found} bytes, not ${size}`
  }
  return undefined
}
