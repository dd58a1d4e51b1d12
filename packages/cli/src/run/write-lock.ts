import {open, stat} from 'node:fs/promises'
import {
  formatReference,
  isMirrorError,
  limits,
  MirrorError,
  type Descriptor,
  type Manifest,
} from '@airgap-mirror/oci-client/model'
import {writeAtomically} from '../files/write-atomically.js'
import {formatLockFile, sizesInLock, type LockedImage} from '../names/lock-file.js'
import {isAttestation} from '../names/platforms.js'

/**
 * Writes a lock file. An unchanged image that the run did not read keeps the size that the old file has, so that two files
 * differ only if an image does.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function writeLock(path: string, images: readonly LockedImage[]): Promise<void> {
  try {
    await writeAtomically(path, formatLockFile(await withOldSizes(images, path)))
  } catch (error) {
    if (!isMirrorError(error)) throw error
    throw new MirrorError(error.code, `--lock: ${error.message}`, {side: 'target', cause: error})
  }
}

async function withOldSizes(images: readonly LockedImage[], path: string): Promise<readonly LockedImage[]> {
  const sizes = sizesInLock(await readOld(path))
  return images.map((image) => {
    const {reference, digest, bytes = sizes.get(formatReference({...reference, digest}))} = image
    return {...image, bytes}
  })
}

/** Empty if there is none or it cannot be read, because only sizes are taken from it. */
async function readOld(path: string): Promise<string> {
  try {
    const stats = await stat(path)
    // A pipe would keep its reader waiting.
    if (!stats.isFile() || stats.size > limits.listBytes) return ''
    await using file = await open(path)
    return await file.readFile('utf8')
  } catch {
    return ''
  }
}

/**
 * Returns the platforms of an index; none for an image.
 * @param absent the children that the run did not take
 */
export function platformsIn(manifest: Manifest, absent: readonly Descriptor[]): LockedImage['platforms'] {
  if (manifest.kind !== 'index') return []
  const leftOut = new Set(absent.map(({digest}) => digest))
  return manifest.children.flatMap((child) => {
    const {platform, digest} = child
    return platform === undefined || isAttestation(child)
      ? []
      : [{platform, digest, leftOut: leftOut.has(digest)}]
  })
}
