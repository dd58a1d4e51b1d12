import type {SequentialDecoder} from '../sequential-decoder.js'
import {nodeZstd} from './node-zstd.js'
import {workerZstd} from './worker-zstd.js'

/** The zstd decoder of this machine and its library. */
export interface ZstdDecoder {
  readonly library: 'node' | 'zstd-napi' | 'fzstd'
  readonly decode: SequentialDecoder
}

let loaded: Promise<ZstdDecoder> | undefined

/** Returns Node's own decoder if it has one, else the native module, else JavaScript (some twenty times slower). */
export function zstdDecoder(): Promise<ZstdDecoder> {
  return (loaded ??= load())
}

async function load(): Promise<ZstdDecoder> {
  const own = nodeZstd()
  if (own !== undefined) return {library: 'node', decode: own}
  const library = (await canImport('zstd-napi')) ? 'zstd-napi' : 'fzstd'
  return {library, decode: workerZstd(library)}
}

/** Returns false if an optional package is missing, for example because its install script could not run. */
async function canImport(name: string): Promise<boolean> {
  try {
    await import(name)
    return true
  } catch {
    return false
  }
}
