import {MirrorError} from '@airgap-mirror/oci-client/model'

/** The error of everything that was left out after a first failure. */
export function notTried(): MirrorError {
  return new MirrorError('CANCELLED', 'not tried: another image failed first')
}
