import {isMirrorError} from '@airgap-mirror/oci-client/model'
import {sniffCompression} from '../codecs/sniff.js'
import {looksLikeTar} from '../tar/looks-like-tar.js'

export type ContentKind = 'tar' | 'gzip' | 'xz' | 'zstd' | 'other'

/** Bytes that `sniffContent` wants to see. */
export const SNIFF_BYTES = 512

/** Whether something may be an archive that is read here, by its first bytes. */
export function sniffContent(head: Uint8Array): ContentKind {
  if (looksLikeTar(head)) return 'tar'
  try {
    const compression = sniffCompression(head, 'content')
    return compression === 'plain' ? 'other' : compression
  } catch (error) {
    if (isMirrorError(error) && error.code === 'SOURCE_UNSUPPORTED') return 'other'
    throw error
  }
}

export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b
}

/** What a file that is no archive seems to be, for a message: `begins with …`. */
export function describeHead(head: Uint8Array): string {
  const text = Buffer.from(head.subarray(0, 256)).toString('latin1')
  const known = SIGNATURES.find(([pattern]) => pattern.test(text))
  if (known !== undefined) return `looks like ${known[1]}`
  if (/^[\t\n\r\x20-\x7e]+$/.test(text)) return `begins with the text ${JSON.stringify(text.slice(0, 40))}`
  return `begins with the bytes ${Buffer.from(head.subarray(0, 16)).toString('hex')}`
}

const SIGNATURES: readonly (readonly [RegExp, string])[] = [
  [/^\s*<(?:!doctype html|html)/i, 'an HTML page, perhaps of a login or an error'],
  [/^\s*[{[]/, 'a JSON document'],
  [/^7z\xbc\xaf'/, 'a 7z archive'],
  [/^\x7fELF/, 'a Linux program'],
  [/^-----BEGIN /, 'a PEM file'],
]
