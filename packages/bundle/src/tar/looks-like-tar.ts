import {decodeHeader} from './header.js'

/** Returns true if 512 bytes are a tar header with the right checksum; false for an empty archive (all zeros). */
export function looksLikeTar(first512: Uint8Array): boolean {
  const header = decodeHeader(first512)
  return header !== undefined && header.path !== ''
}
