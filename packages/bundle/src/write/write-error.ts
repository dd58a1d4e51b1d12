import {codeOf, isMirrorError, messageOf, MirrorError, type Advice} from '@airgap-mirror/oci-client/model'

/** Returns a file system's error as an error of the target. */
export function writeFailed(path: string, cause: unknown): MirrorError {
  return isMirrorError(cause)
    ? cause
    : new MirrorError('WRITE_FAILED', `cannot write ${path}: ${messageOf(cause)}`, {
        side: 'target',
        advice: adviceOn(codeOf(cause)),
        cause,
      })
}

/** A reader that has ended, such as head, is no matter of the place. */
function adviceOn(code: string | undefined): Advice | undefined {
  if (code === 'EPIPE') return undefined
  return {kind: code === 'ENOSPC' ? 'free-disk' : 'use-writable-place'}
}

/** Returns the error of a target that is refused before anything is written. */
export function refused(message: string, advice: Advice): MirrorError {
  return new MirrorError('USAGE', message, {side: 'target', advice})
}
