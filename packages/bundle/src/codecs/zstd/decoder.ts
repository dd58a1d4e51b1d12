import type {SequentialDecoder} from '../sequential-decoder.js'
import {nodeZstd} from './node-zstd.js'
import {workerZstd} from './worker-zstd.js'

/** The zstd decoder of this machine and its library. */
export interface ZstdDecoder {
  readonly library: 'node' | 'wasm'
  readonly decode: SequentialDecoder
}

/** Returns Node's own decoder if it has one, else libzstd in WebAssembly, at about half the speed. */
export function zstdDecoder(): ZstdDecoder {
  const own = nodeZstd()
  return own === undefined ? {library: 'wasm', decode: workerZstd} : {library: 'node', decode: own}
}
