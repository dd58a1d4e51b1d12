import type {SequentialDecoder} from '../sequential-decoder.js'
import {loadLzmaNative} from './lzma-native.js'
import {loadNodeLiblzma} from './node-liblzma.js'

/** The xz decoder of this machine and its library. */
export interface XzDecoder {
  readonly library: 'node-liblzma' | 'lzma-native'
  readonly decode: SequentialDecoder
}

let loaded: Promise<XzDecoder> | undefined

/** Returns the fastest xz decoder that loads here. */
export function xzDecoder(): Promise<XzDecoder> {
  return (loaded ??= load())
}

async function load(): Promise<XzDecoder> {
  const fast = await loadNodeLiblzma()
  return fast === undefined
    ? {library: 'lzma-native', decode: await loadLzmaNative()}
    : {library: 'node-liblzma', decode: fast}
}
