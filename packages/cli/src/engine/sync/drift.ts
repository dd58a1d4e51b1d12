import {formatReference, MirrorError, type Digest, type Reference} from '@airgap-mirror/oci-client/model'
import type {KnownTag} from '../known-tags.js'

/**
 * Returns the error for a tag of ours that points at a digest we never put there nor were about to put there. Returns
 * undefined if there is no drift or no saved state to tell.
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

/** Returns the error for a tag of ours that the target does not show, so that drift can neither be seen nor ruled out. */
export function unclearAt(
  target: Reference,
  {tag, answer}: {readonly tag: KnownTag | undefined; readonly answer: MirrorError},
): MirrorError | undefined {
  if (tag?.digest === undefined || target.tag === undefined) return undefined
  return new MirrorError(
    'TAG_CHANGED',
    `${formatReference(target)} is not overwritten: cannot tell if somebody else has changed it (${answer.message})`,
    {side: 'target', advice: {kind: 'force-tag'}, cause: answer},
  )
}
