import {createPrivateKey, createPublicKey, type KeyObject} from 'node:crypto'
import {messageOf, MirrorError} from '@airgap-mirror/oci-client/model'

/** A key for detached signatures: ECDSA over P-256 with SHA-256, or Ed25519. */
export interface SignatureKey {
  readonly algorithm: 'ecdsa-p256' | 'ed25519'
  readonly key: KeyObject
}

/**
 * Reads a private key in PEM.
 * @throws {MirrorError} KEY_INVALID
 */
export function parsePrivateKey(pem: string | Uint8Array, name: string): SignatureKey {
  const text = Buffer.from(pem).toString('latin1')
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text))
    throw unfit(`${name} holds an encrypted key, and no passphrase is asked for`)
  if (/-----BEGIN (?:PUBLIC KEY|CERTIFICATE)-----/.test(text) && !text.includes('PRIVATE KEY-----'))
    throw unfit(`${name} holds a public key, and only a private key can sign`)
  return parse(() => createPrivateKey(text), name)
}

/**
 * Reads a public key in PEM, or takes it from a private key or a certificate.
 * @throws {MirrorError} KEY_INVALID
 */
export function parsePublicKey(pem: string | Uint8Array, name: string): SignatureKey {
  return parse(() => createPublicKey(withoutSpaces(Buffer.from(pem).toString('latin1'))), name)
}

/** Google's page shows its key with a space inside. */
function withoutSpaces(pem: string): string {
  return pem.replaceAll(/(?<=^|\n)[A-Za-z0-9+/= ]+(?=\r?\n|$)/g, (line) => line.replaceAll(' ', ''))
}

function parse(read: () => KeyObject, name: string): SignatureKey {
  let key: KeyObject
  try {
    key = read()
  } catch (cause) {
    const reason = messageOf(cause)
    // OpenSSL says it of everything that is no key at all.
    const isNone = reason.includes('DECODER routines::unsupported')
    throw new MirrorError('KEY_INVALID', `${name} has no readable key${isNone ? '' : `: ${reason}`}`, {
      advice: {kind: 'use-signature-key'},
      cause: isNone ? undefined : cause,
    })
  }
  const {asymmetricKeyType: type, asymmetricKeyDetails: details} = key
  if (type === 'ed25519') return {algorithm: 'ed25519', key}
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return {algorithm: 'ecdsa-p256', key}
  const kind = [type, details?.namedCurve].filter((part) => part !== undefined).join(' ')
  throw unfit(`${name} holds a key of another kind: ${kind}`)
}

function unfit(message: string): MirrorError {
  return new MirrorError('KEY_INVALID', message, {advice: {kind: 'use-signature-key'}})
}
