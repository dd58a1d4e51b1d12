import {MirrorError, type CallOptions} from '@airgap-mirror/oci-client/model'
import type {FindVolumesOptions} from '../volumes/volume-set.js'
import {bytesOf, compareFiles, exists, openedFiles, placeOf, readSmall} from './compare-files.js'
import type {SignatureKey} from './keys.js'
import {isSignatureOf, isSignatureOfStream} from './signature.js'

/** Options of `verifyBundle`: the public key that the signature has to fit. */
export interface VerifyBundleOptions extends CallOptions, FindVolumesOptions {
  readonly key: SignatureKey
}

/**
 * Checks a bundle against the detached signature beside it: of its checksum file (`.SHA256SUMS.sig`), or of the bundle
 * itself (`.1.sig` as Google names it, `.sig`). Reads the whole bundle. @returns the signature's path
 * @throws {MirrorError} SIGNATURE_INVALID if it is missing or of other content, SOURCE_UNREADABLE, LIMIT_EXCEEDED
 */
export async function verifyBundle(path: string, options: VerifyBundleOptions): Promise<string> {
  const place = await placeOf(path)
  const {isDirectory, checksums} = place
  if (await exists(`${checksums}.sig`)) {
    const text = await signedText(checksums, options)
    await compareFiles(place, text, {...options, was: 'signed', refuse: invalid})
    return `${checksums}.sig`
  }
  if (isDirectory) throw invalid(`there is no signature of ${path}: ${checksums}.sig`)
  for (const signature of [`${path}.1.sig`, `${path}.sig`]) {
    if (!(await exists(signature))) continue
    await verifyWhole(path, {...options, signature})
    return signature
  }
  throw invalid(`there is no signature beside ${path}, neither .SHA256SUMS.sig nor .1.sig nor .sig`)
}

/** Returns a checksum file's text once its signature holds. */
async function signedText(path: string, {key}: VerifyBundleOptions): Promise<string> {
  const text = await readSmall(path)
  const signature = await readSmall(`${path}.sig`)
  if (isSignatureOf(text, {signature, key})) return Buffer.from(text).toString('utf8')
  throw invalid(`${path}.sig is not a signature of ${path} by this key`)
}

async function verifyWhole(
  path: string,
  {key, signature, ...options}: VerifyBundleOptions & {readonly signature: string},
): Promise<void> {
  if (key.algorithm !== 'ecdsa-p256') {
    throw invalid(`${signature} cannot be checked by an Ed25519 key: only signatures of checksum files can`)
  }
  const stray = (await openedFiles(path, options)).find((file) => file !== path)
  if (stray !== undefined) throw invalid(`${signature} says nothing of ${stray}, which is read with ${path}`)
  const bytes = await readSmall(signature)
  if (await isSignatureOfStream(bytesOf(path, options), {signature: bytes, key})) return
  throw invalid(`${signature} is not a signature of ${path} by this key`)
}

function invalid(message: string): MirrorError {
  return new MirrorError('SIGNATURE_INVALID', message, {side: 'source', advice: {kind: 'refuse-unsigned'}})
}
