import {isMirrorError, MirrorError, type Descriptor} from '@airgap-mirror/oci-client/model'
import type {Gathered} from '../../engine/gather.js'
import {writeAtomically} from '../../files/write-atomically.js'
import {formatLockFile, type LockedImage} from '../../names/lock-file.js'

/**
 * Writes the digests of the images that were asked for; their referrers are not among them.
 * @throws {MirrorError} WRITE_FAILED
 */
export async function writeLock(path: string, images: readonly Gathered[]): Promise<void> {
  try {
    await writeAtomically(path, formatLockFile(images.flatMap(lockedImage)))
  } catch (error) {
    if (!isMirrorError(error)) throw error
    throw new MirrorError(error.code, `--lock: ${error.message}`, {side: 'target', cause: error})
  }
}

function lockedImage(gathered: Gathered): readonly LockedImage[] {
  const {name} = gathered.image
  if (name === undefined || !('node' in gathered)) return []
  const {manifest} = gathered.node
  const children = manifest.kind === 'index' ? manifest.children : []
  return [
    {
      reference: name,
      digest: manifest.descriptor.digest,
      platforms: children.flatMap(platformOf),
    },
  ]
}

/** Attestations that buildkit puts into an index are for no platform. */
function platformOf({platform, digest}: Descriptor): LockedImage['platforms'] {
  return platform === undefined || platform.os === 'unknown' ? [] : [{platform, digest}]
}
