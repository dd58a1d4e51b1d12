import {createVerify, sign, verify} from 'node:crypto'
import type {Bytes} from '@airgap-mirror/oci-client/model'
import type {SignatureKey} from './keys.js'

/**
 * A detached signature. OpenSSL checks that of a P-256 key with `openssl dgst -sha256 -verify KEY -signature SIGNATURE FILE`, and
 * that of Ed25519 with `openssl pkeyutl -verify -pubin -inkey KEY -rawin -in FILE -sigfile SIGNATURE`.
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

/** The same of a stream, for P-256 alone: Ed25519 needs all bytes at once. */
export async function isSignatureOfStream(
  bytes: Bytes,
  {signature, key}: {readonly signature: Uint8Array; readonly key: SignatureKey},
): Promise<boolean> {
  const check = createVerify('sha256')
  for await (const chunk of bytes) check.update(chunk)
  return check.verify(key.key, signature)
}
