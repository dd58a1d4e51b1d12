import {formatReference, MirrorError, type Digest, type Reference} from '@airgap-mirror/oci-client/model'
import type {KnownTag} from '../known-tags.js'

/**
 * The error for a tag that was ours and that points at what we never put there, nor were about to. Undefined where there is
 * nothing to complain of, or nothing is remembered: then nobody knows whose it is.
 */
export function driftAt(
  target: Reference,
  {tag, found}: {readonly tag: KnownTag | undefined; readonly found: Digest},
): MirrorError | undefined {
  if (tag?.digest === undefined || target.tag === undefined) return undefined
  if (tag.digest === found || tag.intended?.includes(found) === true) return undefined
  return new MirrorError(
    'TAG_CHANGED',
    `${formatReference(target)} was changed by somebody else: it is ${found}, and was left as ${tag.digest}`,
    {side: 'target', advice: {kind: 'force-tag'}},
  )
}
