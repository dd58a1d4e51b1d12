import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {parseImageLists, saysNothingFailed, type ListedImage} from '../names/image-list.js'
import {isLockFile, sizesInLock} from '../names/lock-file.js'
import {readTextFile} from '../files/read-file.js'

export interface Lists {
  readonly images: readonly ListedImage[]
  /** Bytes of images that the lists know, by reference. Only lock files know any. */
  readonly sizes: ReadonlyMap<string, number>
  /** All of the lists say that the run which wrote them had nothing to put into them. */
  readonly nothingFailed: boolean
  /** All of the lists are lock files, so that every image has its digest. */
  readonly isLock: boolean
}

/**
 * The images that lists name, as one list.
 * @param paths `-` is standard input
 * @throws {MirrorError} LIST_INVALID naming every bad line of all of them, LIMIT_EXCEEDED
 */
export async function readLists(paths: readonly string[]): Promise<Lists> {
  const lists = await Promise.all(
    paths.map(async (path) => ({
      name: nameOf(path),
      text: await readTextFile(path, {flag: '--images', limit: limits.listBytes, code: 'LIST_INVALID'}),
    })),
  )
  return {
    images: parseImageLists(lists),
    sizes: new Map(lists.flatMap(({text}) => (isLockFile(text) ? [...sizesInLock(text)] : []))),
    isLock: lists.length > 0 && lists.every(({text}) => isLockFile(text)),
    nothingFailed: lists.length > 0 && lists.every(({text}) => saysNothingFailed(text)),
  }
}

/**
 * The same, for a command that has no images but those: an empty list is a slip, unless nothing had failed.
 * @throws {MirrorError} LIST_INVALID
 */
export async function readNeededLists(paths: readonly string[]): Promise<Lists> {
  const lists = await readLists(paths)
  if (paths.length === 0 || lists.images.length > 0 || lists.nothingFailed) return lists
  throw new MirrorError('LIST_INVALID', `${paths.map(nameOf).join(' and ')}: no line names an image`, {
    hint: 'Write one image a line, such as gcr.io/team/app:v1.',
  })
}

function nameOf(path: string): string {
  return path === '-' ? 'standard input' : path
}
