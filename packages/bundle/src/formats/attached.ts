import {
  attachedTo,
  cosignSuffix,
  isDigest,
  isIndexType,
  type Descriptor,
  type SourceImage,
} from '@airgap-mirror/oci-client/model'
import {peekManifest} from '../contents/read-manifest.js'
import type {ReadContext} from './read-context.js'

/**
 * Returns the referrers under a tag of cosign or of the referrers tag schema, by which regctl keeps them in a layout. Returns
 * undefined for the tag of an image.
 */
export async function attachedUnder(
  tag: string | undefined,
  {descriptor, context}: {readonly descriptor: Descriptor; readonly context: ReadContext},
): Promise<readonly SourceImage[] | undefined> {
  const subject = attachedTo(tag ?? '')?.replace('-', ':')
  // The tag schema cuts sha512, so that the digest cannot be told.
  if (tag === undefined || !isDigest(subject)) return undefined
  if (cosignSuffix(tag) !== undefined)
    return [{shownAs: tag, root: {manifest: descriptor}, subject, attachedAs: tag}]
  if (!isIndexType(descriptor.mediaType)) return undefined
  const index = await peekManifest(context.table, descriptor, context)
  if (index?.kind !== 'index') return undefined
  return index.children.map((child) => ({shownAs: tag, root: {manifest: child}, subject}))
}
