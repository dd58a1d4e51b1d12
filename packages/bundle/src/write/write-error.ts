import {isMirrorError, messageOf, MirrorError} from '@airgap-mirror/oci-client/model'

/** What the file system said of the target. */
export function writeFailed(path: string, cause: unknown): MirrorError {
  return isMirrorError(cause)
    ? cause
    : new MirrorError('WRITE_FAILED', `cannot write ${path}: ${messageOf(cause)}`, {
        side: 'target',
        hint:
          codeOf(cause) === 'ENOSPC'
            ? 'Make room on that disk, or name a place on another.'
            : 'Name a place in a directory that exists, is writable and has room.',
        cause,
      })
}

/** A target that is refused before anything is written. */
export function refused(message: string, hint: string): MirrorError {
  return new MirrorError('USAGE', message, {side: 'target', hint})
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

/** For a file that need not be there. */
export function absent(error: unknown): undefined {
  const code = codeOf(error)
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
}
