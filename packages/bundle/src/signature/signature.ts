import {createVerify, sign, verify} from 'node:crypto'
import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {SignatureKey} from './keys.js'

/**
 * Returns a detached signature. OpenSSL checks a P-256 signature with `openssl dgst -sha256 -verify KEY -signature
 * SIGNATURE FILE`. It checks an Ed25519 signature with `openssl pkeyutl -verify -pubin -inkey KEY -rawin -in FILE
 * -sigfile SIGNATURE`.
 */
export function signatureOf(bytes: Uint8Array, {algorithm, key}: SignatureKey): Uint8Array {
  return sign(algorithm === 'ed25519' ? undefined : 'sha256', bytes, key)
}

export function isSignatureOf(
  bytes: Uint8Array,
  {signature, key: {algorithm, key}}: {readonly signature: Uint8Array; readonly key: SignatureKey},
): boolean {
  return verify(algorithm === 'ed25519' ? undefined : 'sha256', bytes, key, signature)
}

/** Returns true if the signature is of the stream's bytes. P-256 only, because Ed25519 needs all bytes at once. */
export async function isSignatureOfStream(
  bytes: Bytes,
  {signature, key}: {readonly signature: Uint8Array; readonly key: SignatureKey},
): Promise<boolean> {
  const check = createVerify('sha256')
  for await (const chunk of bytes) check.update(chunk)
  return check.verify(key.key, signature)
}
