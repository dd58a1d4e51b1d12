import {messageOf, MirrorError, type Descriptor} from '@airgap-mirror/oci-client/model'

const GIVE_AS_FILE = {kind: 'give-as-file'} as const

/** Returns the error of content that is no longer in memory. */
export function passed(file: string, stream: string): MirrorError {
  return new MirrorError('SOURCE_PASSED', `${stream} has gone past ${file}, and cannot be read again`, {
    side: 'source',
    advice: GIVE_AS_FILE,
  })
}

/** Returns the error of a blob that does not come in the order of the manifests. */
export function notInItsPlace(stream: string, {digest}: Descriptor): MirrorError {
  return new MirrorError('BLOB_MISSING', `${stream} has no blob ${digest} where it should be`, {
    side: 'source',
    advice: GIVE_AS_FILE,
  })
}

export function undecodable(stream: string, cause: unknown): MirrorError {
  return new MirrorError('SOURCE_CORRUPT', `cannot decode ${stream}: ${messageOf(cause)}`, {
    side: 'source',
    cause,
  })
}
