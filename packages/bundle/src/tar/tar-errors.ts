import {MirrorError} from '@airgap-mirror/oci-client/model'

export function truncated(name: string, at: number): MirrorError {
  return new MirrorError(
    'SOURCE_TRUNCATED',
    `${name} ends in the middle of the archive, at byte ${at} of its plain content`,
    {side: 'source', advice: {kind: 'copy-again-whole'}},
  )
}

export function corrupt(name: string, at: number, what: string): MirrorError {
  return new MirrorError('SOURCE_CORRUPT', `${name} is not a valid tar archive: ${what}, at byte ${at}`, {
    side: 'source',
  })
}
