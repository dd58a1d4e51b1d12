import {createHash, type Hash} from 'node:crypto'
import {MirrorError} from './error.js'

/** `algorithm:hex`, checked (image-spec descriptor.md, Digests). Only sha256 and sha512 are ever accepted. */
export type Digest = `sha256:${string}` | `sha512:${string}`
export type DigestAlgorithm = 'sha256' | 'sha512'

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

/** Returns true for a sha256 or sha512 digest in lower case. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && DIGEST.test(text)
}

/** @throws {MirrorError} MANIFEST_INVALID if the text is not a sha256 or sha512 digest in lower case */
export function parseDigest(text: unknown): Digest {
  if (isDigest(text)) return text
  throw new MirrorError('MANIFEST_INVALID', `not a digest: ${JSON.stringify(text)?.slice(0, 100)}`)
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512'
}

export function hexOf(digest: Digest): string {
  return digest.slice(7)
}

/** Returns the digest of the bytes; sha256 unless another algorithm is given. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return digestFrom(createHash(algorithm).update(bytes), algorithm)
}

/** Returns the digest of the bytes that the hash was given, and ends the hash. */
export function digestFrom(hash: Hash, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${hash.digest('hex')}` as Digest
}
