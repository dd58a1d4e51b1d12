import {compressionOf, type Compression, type UnreadCompression} from '../codecs/sniff.js'
import {looksLikeTar} from '../tar/looks-like-tar.js'

export type ContentKind = 'tar' | 'other' | Exclude<Compression, 'plain'> | UnreadCompression

/** The number of bytes that `sniffContent` needs. */
export const SNIFF_BYTES = 512

/** Returns the kind of content from its first bytes: an archive, a compression, or neither. */
export function sniffContent(head: Uint8Array): ContentKind {
  if (looksLikeTar(head)) return 'tar'
  const compression = compressionOf(head)
  return compression === 'plain' ? 'other' : compression
}

/** Returns the kind of a file that is not an archive, for a message. Its content is not quoted because it may be a secret. */
export function describeHead(head: Uint8Array): string {
  const text = Buffer.from(head.subarray(0, 256)).toString('latin1')
  const known = SIGNATURES.find(([pattern]) => pattern.test(text))
  if (known !== undefined) return `looks like ${known[1]}`
  return /^[\t\n\r\x20-\x7e]+$/.test(text) ? 'is text' : 'holds binary data of an unknown kind'
}

const SIGNATURES: readonly (readonly [RegExp, string])[] = [
  [/^\s*<(?:!doctype html|html)/i, 'an HTML page, perhaps of a login or an error'],
  [/^\s*[{[]/, 'a JSON document'],
  [/^7z\xbc\xaf'/, 'a 7z archive'],
  [/^\x7fELF/, 'a Linux program'],
  [/^-----BEGIN /, 'a PEM file'],
]
