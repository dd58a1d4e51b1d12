import {parsePublicKey, type SignatureKey} from '@airgap-mirror/bundle'
import {limits, MirrorError} from '@airgap-mirror/oci-client/model'
import {readTextFile} from '../files/read-file.js'
import type {FlagReader} from './flag-values.js'

/**
 * Reads the key that a bundle's signature has to hold with; undefined if none was given.
 * @throws {MirrorError} KEY_INVALID; USAGE for a bundle that can be read only once
 */
export async function readVerifyKey(
  {text}: FlagReader,
  bundle: string | undefined,
): Promise<SignatureKey | undefined> {
  const path = text('verify-key')
  if (path === undefined) return undefined
  if (bundle === undefined || bundle === '-') {
    const what = bundle === undefined ? 'needs a bundle' : 'does not go with a bundle from standard input'
    throw new MirrorError('USAGE', `--verify-key ${what}`, {
      hint: 'Give the bundle as a file or a directory, with its signature beside it.',
    })
  }
  const limit = limits.certificateBytes
  return parsePublicKey(await readTextFile(path, {flag: '--verify-key', limit, code: 'KEY_INVALID'}), path)
}
