import {
  isMirrorError,
  MirrorError,
  type Content,
  type Descriptor,
  type ImageSource,
} from '@airgap-mirror/oci-client/model'

/** Returns the error of a blob that neither the source nor the target has, with the source's reason if it knows one. */
export function lostBlob(
  lost: Descriptor,
  {source, repository}: {readonly source: ImageSource; readonly repository: string},
): MirrorError {
  const known = whyLost(lost, source)
  if (known?.advice?.kind === 'follow-links') {
    const {advice} = known
    return new MirrorError('BLOB_MISSING', `${known.message}; ${repository} lacks it, too`, {
      side: 'source',
      advice,
    })
  }
  return new MirrorError('BLOB_MISSING', `neither the source nor ${repository} has the blob ${lost.digest}`, {
    side: 'source',
    hint: 'The bundle is incomplete: save it again, or push the image it was made on top of first.',
  })
}

/** Returns the error with which the source refuses content that it lacks. */
export function whyLost(lost: Content, source: ImageSource): MirrorError | undefined {
  try {
    source.blob(lost)
    return undefined
  } catch (error) {
    if (isMirrorError(error)) return error
    throw error
  }
}
