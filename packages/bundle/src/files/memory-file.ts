import {throwIfAborted} from '../bytes/abortable.js'
import type {StoredFile} from './file-tree.js'

/** Returns content in memory: embedded in an index, or made here. */
export function memoryFile(bytes: Uint8Array, name: string): StoredFile {
  return {
    name,
    size: bytes.length,
    position: 0,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
    async *stream({offset = 0, signal} = {}) {
      throwIfAborted(signal)
      if (offset < bytes.length) yield bytes.slice(offset)
    },
    hold: () => () => {},
  }
}
