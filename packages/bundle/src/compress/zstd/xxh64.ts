import {kernelCode} from './kernel-code.js'

/** The most bytes that can be hashed at once. */
export const hashedBytes = 2 * 1024 * 1024

interface Exports {
  readonly memory: {readonly buffer: ArrayBuffer}
  readonly PLAIN: {readonly value: number}
  readonly xxh64: (size: number) => number
}

/** Returns a function that gives the checksum of zstd frames: the low 32 bits of XXH64. */
export function createXxh64(): (bytes: Uint8Array) => number {
  const module = new WebAssembly.Module(Buffer.from(kernelCode, 'base64'))
  const {memory, PLAIN, xxh64} = new WebAssembly.Instance(module).exports as unknown as Exports
  const room = new Uint8Array(memory.buffer, PLAIN.value, hashedBytes)
  return (bytes) => {
    room.set(bytes)
    return xxh64(bytes.length) >>> 0
  }
}
