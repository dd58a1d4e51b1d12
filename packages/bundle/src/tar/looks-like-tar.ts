import {decodeHeader} from './header.js'

/** Whether 512 bytes are a tar header with the right checksum. An empty archive (all zero) is not said to look like one. */
export function looksLikeTar(first512: Uint8Array): boolean {
  const header = decodeHeader(first512)
  return header !== undefined && header.path !== ''
}
