import {limits} from '@airgap-mirror/oci-client/model'
import {parseImageLists, type ListedImage} from '../names/image-list.js'
import {readTextFile} from '../files/read-file.js'

/**
 * The images that lists name, as one list.
 * @param paths `-` is standard input
 * @throws {MirrorError} LIST_INVALID naming every bad line of all of them, LIMIT_EXCEEDED
 */
export async function readLists(paths: readonly string[]): Promise<readonly ListedImage[]> {
  return parseImageLists(
    await Promise.all(
      paths.map(async (path) => ({
        name: path === '-' ? 'standard input' : path,
        text: await readTextFile(path, {flag: '--images', limit: limits.listBytes, code: 'LIST_INVALID'}),
      })),
    ),
  )
}
