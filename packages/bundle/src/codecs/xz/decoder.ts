import {messageOf} from '@airgap-mirror/oci-client/model'
import type {SequentialDecoder} from '../sequential-decoder.js'
import type {XzLibrary} from './block-header.js'
import {withKnownFilters} from './known-filters.js'
import {loadLzmaNative} from './lzma-native.js'
import {portableXz} from './portable-xz.js'
import {loadNodeLiblzma} from './node-liblzma.js'

/** The xz decoder of this machine and its library. */
export interface XzDecoder {
  readonly library: XzLibrary
  /** Why faster ones were passed over. */
  readonly passedOver: readonly string[]
  readonly decode: SequentialDecoder
}

let loaded: Promise<XzDecoder> | undefined

/** Returns the fastest xz decoder that loads here. */
export function xzDecoder(): Promise<XzDecoder> {
  return (loaded ??= loadWithKnownFilters())
}

async function loadWithKnownFilters(): Promise<XzDecoder> {
  const found = await load()
  return {...found, decode: withKnownFilters(found.decode, found.library)}
}

async function load(): Promise<XzDecoder> {
  const fast = await loadNodeLiblzma()
  if (fast !== undefined) return {library: 'node-liblzma', decode: fast, passedOver: []}
  const passedOver = ['node-liblzma has no binary for this machine']
  try {
    return {library: 'lzma-native', decode: await loadLzmaNative(), passedOver}
  } catch (error) {
    // lzma-native 8.0.6 ships a binary for another processor on linux-arm64.
    passedOver.push(`lzma-native does not load: ${messageOf(error).split('\n')[0]}`)
    return {library: 'portable', decode: portableXz, passedOver}
  }
}
