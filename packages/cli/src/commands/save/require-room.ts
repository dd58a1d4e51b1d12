import type {BundleSink} from '@airgap-mirror/bundle'
import {isMirrorError, MirrorError, type Descriptor, type ImageSource} from '@airgap-mirror/oci-client/model'
import {blobsOf, bytesBelow, nodesOf} from '../../engine/gather.js'
import type {Pair} from '../../engine/pair.js'
import {formatBytes} from '../../text/format-quantity.js'

/**
 * Checks that there is room for the blobs of all images.
 * @throws {MirrorError} WRITE_FAILED, with the largest image: its size is a claim of its manifests
 */
export async function requireRoom(
  sink: BundleSink,
  {pairs, source}: {readonly pairs: readonly Pair[]; readonly source: ImageSource},
): Promise<void> {
  try {
    await sink.reserve(blobsIn(pairs, source))
  } catch (error) {
    const largest = largestOf(pairs, source)
    if (!isMirrorError(error) || error.advice?.kind !== 'free-disk' || largest === undefined) throw error
    const {code, message, side, advice} = error
    throw new MirrorError(
      code,
      `${message}; the largest image is ${largest.name}, with ${formatBytes(largest.bytes)}`,
      {side, advice, cause: error},
    )
  }
}

/** The blobs that the bundle would hold. */
function blobsIn(pairs: readonly Pair[], source: ImageSource): readonly Descriptor[] {
  return pairs.flatMap(({image}) =>
    'node' in image ? nodesOf(image.node).flatMap(({manifest}) => blobsOf(manifest, source)) : [],
  )
}

function largestOf(
  pairs: readonly Pair[],
  source: ImageSource,
): {readonly name: string; readonly bytes: number} | undefined {
  const sized = pairs.flatMap(({image, label}) =>
    'node' in image ? [{name: label.source, bytes: bytesBelow(image.node, source)}] : [],
  )
  return sized.toSorted((left, right) => right.bytes - left.bytes)[0]
}
