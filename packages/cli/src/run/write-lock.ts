import {isMirrorError, MirrorError, type Descriptor, type Manifest} from '@airgap-mirror/oci-client/model'
import {writeAtomically} from '../files/write-atomically.js'
import {formatLockFile, type LockedImage} from '../names/lock-file.js'

/**
 * Writes a lock file.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function writeLock(path: string, images: readonly LockedImage[]): Promise<void> {
  try {
    await writeAtomically(path, formatLockFile(images))
  } catch (error) {
    if (!isMirrorError(error)) throw error
    throw new MirrorError(error.code, `--lock: ${error.message}`, {side: 'target', cause: error})
  }
}

/** Returns the platforms of an index; none for an image. */
export function platformsIn(manifest: Manifest): LockedImage['platforms'] {
  return manifest.kind === 'index' ? manifest.children.flatMap(platformOf) : []
}

/** Attestations that buildkit puts into an index are for no platform. */
function platformOf({platform, digest}: Descriptor): LockedImage['platforms'] {
  return platform === undefined || platform.os === 'unknown' ? [] : [{platform, digest}]
}
