import type {MirrorError, PendingImage, Reference} from '@airgap-mirror/oci-client/model'
import type {ImageNode} from './gather.js'

/** The names of an image at both sides, for reports and progress. */
export interface Label {
  readonly source: string
  readonly target: string
}

/** An image of the source, and where it goes. */
export interface Pair {
  readonly image:
    {readonly node: ImageNode} | {readonly pending: PendingImage} | {readonly error: MirrorError}
  /** Absent if the image has no name: `image` is then that error. */
  readonly target?: Reference
  readonly label: Label
  /** Why the digest at the target cannot be the one the image had at its registry. */
  readonly digestChanged?: string
}

/** The digest that tells an image from others, independent of its name; undefined if the image cannot be had. */
export function identityOf({image}: Pair): string | undefined {
  if ('node' in image) return image.node.manifest.descriptor.digest
  return 'pending' in image ? image.pending.config.digest : undefined
}
